// The exports that make store keys and place rows in Redis, as `src/native-store-key.ts` types
// them.
#pragma once

#include <napi.h>

namespace larder {

void registerStoreKeys(Napi::Env env, Napi::Object exports);

}  // namespace larder
