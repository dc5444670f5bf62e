// The one addon: each concept registers its exports. Their types and contracts are in
// `src/native.ts` and the `src/native-….ts` beside it.
#include <napi.h>

#include "codec_binding.h"
#include "graph_binding.h"
#include "store_key_binding.h"
#include "trees_binding.h"

namespace {

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  larder::registerCodec(env, exports);
  larder::registerGraph(env, exports);
  registerTrees(env, exports);
  larder::registerStoreKeys(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(larder, initialise)
