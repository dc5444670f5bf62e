// The codec's exports, as `src/native.ts` types them.
#pragma once

#include <napi.h>

namespace larder {

void registerCodec(Napi::Env env, Napi::Object exports);

}  // namespace larder
