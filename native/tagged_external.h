// Externals that carry a type tag: an external of another kind, ours or not, is refused.
#pragma once

#include <napi.h>

#include <memory>
#include <utility>

namespace larder {

// Owns `value` from here on; it is freed with the external.
template <typename T>
Napi::Value toExternal(Napi::Env env, std::unique_ptr<T> value, napi_type_tag const& tag) {
  auto const external =
      Napi::External<T>::New(env, value.get(), [](Napi::Env, T* held) { delete held; });
  value.release();
  external.TypeTag(&tag);
  return external;
}

// Throws a TypeError that says `what` is expected. Good for as long as `value` is.
template <typename T>
T& fromExternal(Napi::Value value, napi_type_tag const& tag, char const* what) {
  bool const isTagged = value.IsExternal() && value.As<Napi::External<T>>().CheckTypeTag(&tag);
  if (!isTagged) throw Napi::TypeError::New(value.Env(), what);
  return *value.As<Napi::External<T>>().Data();
}

}  // namespace larder
