#include "codec/feature_type.h"

#include <string_view>

namespace larder::codec {

namespace {

std::string_view nameOf(Scalar scalar) {
  switch (scalar) {
    case Scalar::boolean:
      return "bool";
    case Scalar::int8:
      return "int8";
    case Scalar::int16:
      return "int16";
    case Scalar::int32:
      return "int32";
    case Scalar::int64:
      return "int64";
    case Scalar::float32:
      return "float32";
    case Scalar::float64:
      return "float64";
    case Scalar::string:
      return "string";
    case Scalar::bytes:
      return "bytes";
    case Scalar::timestamp:
      return "timestamp";
    case Scalar::categorical:
      return "categorical";
  }
  __builtin_unreachable();
}

std::string_view nameOf(EmbeddingStorage storage) {
  switch (storage) {
    case EmbeddingStorage::f32:
      return "f32";
    case EmbeddingStorage::f16:
      return "f16";
    case EmbeddingStorage::int8:
      return "int8";
  }
  __builtin_unreachable();
}

}  // namespace

std::string describe(FeatureType const& type) {
  switch (type.shape) {
    case Shape::scalar:
      return std::string(nameOf(type.scalar));
    case Shape::list:
      return "list<" + std::string(nameOf(type.scalar)) + ">";
    case Shape::embedding:
      return "embedding<" + std::to_string(type.dim) + ", " + std::string(nameOf(type.storage)) +
             ">";
  }
  __builtin_unreachable();
}

}  // namespace larder::codec
