#include "codec/profile_words.h"

namespace larder::codec {

namespace {

// Reads words from the first to the last. Beyond the end, or out of its bounds, a word is 0 and
// `isBad` is set: whoever reads looks at it once, at the end.
class WordReader {
 public:
  WordReader(std::span<std::int64_t const> words, Bytes dictionary)
      : words_(words), dictionary_(dictionary) {}

  bool isBad() const { return isBad_; }
  bool isAtEnd() const { return words_.empty() && dictionary_.empty(); }

  std::int64_t any() {
    if (words_.empty()) {
      isBad_ = true;
      return 0;
    }
    std::int64_t const word = words_.front();
    words_ = words_.subspan(1);
    return word;
  }

  std::int64_t from(std::int64_t min, std::int64_t max) {
    std::int64_t const word = any();
    if (word >= min && word <= max) return word;
    isBad_ = true;
    return 0;
  }

  // How many things follow, each of at least so many words.
  std::size_t count(std::size_t wordsEach) {
    return static_cast<std::size_t>(from(0, static_cast<std::int64_t>(words_.size() / wordsEach)));
  }

  Bytes dictionaryBytes() {
    auto const byteCount =
        static_cast<std::size_t>(from(0, static_cast<std::int64_t>(dictionary_.size())));
    Bytes const bytes = dictionary_.first(byteCount);
    dictionary_ = dictionary_.subspan(byteCount);
    return bytes;
  }

 private:
  std::span<std::int64_t const> words_;
  Bytes dictionary_;
  bool isBad_ = false;
};

// Bounds here only keep a cast exact: `codingProblem` knows the real ones.
constexpr std::int64_t kSmallMax = 1'000'000;

std::vector<CodeClass> readClasses(WordReader& words) {
  constexpr std::size_t kWordsPerClass = 5;
  std::vector<CodeClass> classes(words.count(kWordsPerClass));
  for (CodeClass& each : classes) {
    each.kind = static_cast<CodeKind>(words.from(0, 2));
    each.prefixBits = static_cast<unsigned>(words.from(0, kSmallMax));
    each.base = words.any();
    each.width = static_cast<unsigned>(words.from(0, kSmallMax));
    each.exponent = static_cast<int>(words.from(-kSmallMax, kSmallMax));
  }
  return classes;
}

void readMapping(WordReader& words, DeclaredCoding& declared) {
  declared.mapping = static_cast<MappingKind>(words.from(0, 3));
  switch (declared.mapping) {
    case MappingKind::integer:
      declared.unit = words.any();
      return;
    case MappingKind::decimal:
      words.from(0, 0);
      return;
    case MappingKind::floatBits:
      declared.shift = words.any();
      return;
    case MappingKind::dictionary:
      declared.dictionary.resize(words.count(1));
      for (Bytes& value : declared.dictionary) value = words.dictionaryBytes();
  }
}

DeclaredCoding readCoding(WordReader& words) {
  DeclaredCoding declared;
  declared.kind = static_cast<CodingKind>(words.from(0, 3));
  switch (declared.kind) {
    case CodingKind::plain:
      break;
    case CodingKind::packedList:
      declared.lengths = readClasses(words);
      [[fallthrough]];
    case CodingKind::coded:
      readMapping(words, declared);
      declared.symbols = readClasses(words);
      break;
    case CodingKind::block: {
      declared.lengths = readClasses(words);
      std::int64_t const bytesMin = words.from(-1, UINT32_MAX);
      if (bytesMin >= 0) declared.lz4BytesMin = static_cast<std::uint32_t>(bytesMin);
    }
  }
  return declared;
}

}  // namespace

std::variant<std::vector<FeatureCoding>, std::string> parseProfile(
    std::span<LayoutFeature const> features, std::span<std::int64_t const> words,
    Bytes dictionary) {
  WordReader reader(words, dictionary);
  std::vector<FeatureCoding> codings;
  codings.reserve(features.size());
  for (LayoutFeature const& feature : features) {
    std::string const name = "feature id " + std::to_string(feature.id) + ": ";
    DeclaredCoding const declared = readCoding(reader);
    if (reader.isBad()) return name + "an encoding that does not follow its form";
    if (auto const problem = codingProblem(feature.type, declared)) return name + *problem;
    codings.push_back(compileCoding(feature.type, declared));
  }
  if (!reader.isAtEnd()) return std::string("more than the encodings of the features");
  return codings;
}

}  // namespace larder::codec
