// The LightGBM engine's exports; their contract is documented in `src/native-lightgbm.ts`.
#pragma once

#include <napi.h>

void registerLightgbm(Napi::Env env, Napi::Object exports);
