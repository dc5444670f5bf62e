// The graph engine's exports; their contract is documented in `src/native-graph.ts`.
#pragma once

#include <napi.h>

namespace larder {

void registerGraph(Napi::Env env, Napi::Object exports);

}  // namespace larder
