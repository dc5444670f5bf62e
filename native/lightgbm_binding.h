// The LightGBM engine's exports; their contract is documented in `src/predict/lightgbm-native.ts`.
#pragma once

#include <napi.h>

void registerLightgbm(Napi::Env env, Napi::Object exports);
