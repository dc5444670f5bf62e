// The tree engine's exports; their contract is documented in `src/native-trees.ts`.
#pragma once

#include <napi.h>

void registerTrees(Napi::Env env, Napi::Object exports);
