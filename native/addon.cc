// The one addon: each concept registers its exports. Their types and contracts are in
// `src/native.ts`.
#include <napi.h>

#include "codec_binding.h"
#if __has_include("lightgbm_binding.h")
#include "lightgbm_binding.h"
#endif

namespace {

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  larder::registerCodec(env, exports);
#if __has_include("lightgbm_binding.h")
  registerLightgbm(env, exports);
#endif
  return exports;
}

}  // namespace

NODE_API_MODULE(larder, initialise)
