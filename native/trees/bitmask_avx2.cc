// The bitmask kernel in AVX2: 8 rows of float, 4 of double.
//
// Everything below the pragma may use AVX2, also the instances of templates, which are made at the
// end of the file: so the pragma is never popped, and all headers are included before it that have
// functions which others share.
#if defined(__x86_64__)

#include <immintrin.h>

#include "trees/bitmask_kernel.h"

#pragma GCC target("avx2,lzcnt,bmi")

#include "trees/bitmask_body.h"

namespace larder::trees {

namespace {

struct Avx2Float {
  using Scalar = float;
  using Word = std::uint32_t;
  using Values = __m256;
  using Words = __m256i;
  static constexpr std::size_t kRows = 8;
  static constexpr int kVectors = 4;

  [[gnu::always_inline]] static Words all() { return _mm256_set1_epi32(-1); }
  [[gnu::always_inline]] static Values splat(float x) { return _mm256_set1_ps(x); }
  [[gnu::always_inline]] static Words splat(Word x) {
    return _mm256_set1_epi32(static_cast<int>(x));
  }
  [[gnu::always_inline]] static Words keepIf(Words words, float const* x, Values threshold,
                                             Words keep) {
    // x <= threshold, with the operand in memory last, where an instruction can take it from.
    Values const isLeft = _mm256_cmp_ps(threshold, _mm256_load_ps(x), _CMP_GE_OQ);
    return _mm256_and_si256(words, _mm256_or_si256(_mm256_castps_si256(isLeft), keep));
  }
  template <bool kFloat32, bool kHalves, int kCount>
  [[gnu::always_inline]] static void addLeaves(Words const* first, Words const* second,
                                               double const* leaves, std::size_t, double* sums) {
    alignas(32) Word firstWords[kCount * kRows];
    alignas(32) Word secondWords[kCount * kRows];
    for (int i = 0; i < kCount; ++i) {
      _mm256_store_si256(reinterpret_cast<Words*>(firstWords + i * kRows), first[i]);
      _mm256_store_si256(reinterpret_cast<Words*>(secondWords + i * kRows), second[i]);
    }
    addLeavesByRow<Word, kFloat32, kHalves>(firstWords, secondWords, kCount * kRows, leaves, sums);
  }
};

struct Avx2Double {
  using Scalar = double;
  using Word = std::uint64_t;
  using Values = __m256d;
  using Words = __m256i;
  static constexpr std::size_t kRows = 4;
  static constexpr int kVectors = 4;

  [[gnu::always_inline]] static Words all() { return _mm256_set1_epi32(-1); }
  [[gnu::always_inline]] static Values splat(double x) { return _mm256_set1_pd(x); }
  [[gnu::always_inline]] static Words splat(Word x) {
    return _mm256_set1_epi64x(static_cast<long long>(x));
  }
  [[gnu::always_inline]] static Words keepIf(Words words, double const* x, Values threshold,
                                             Words keep) {
    Values const isLeft = _mm256_cmp_pd(threshold, _mm256_load_pd(x), _CMP_GE_OQ);
    return _mm256_and_si256(words, _mm256_or_si256(_mm256_castpd_si256(isLeft), keep));
  }
  template <bool kFloat32, bool kHalves, int kCount>
  [[gnu::always_inline]] static void addLeaves(Words const* first, Words const*,
                                               double const* leaves, std::size_t, double* sums) {
    alignas(32) Word words[kCount * kRows];
    for (int i = 0; i < kCount; ++i) {
      _mm256_store_si256(reinterpret_cast<Words*>(words + i * kRows), first[i]);
    }
    addLeavesByRow<Word, kFloat32, kHalves>(words, words, kCount * kRows, leaves, sums);
  }
};

}  // namespace

void runAvx2(MaskRun<float> const& run) { runTile<Avx2Float>(run); }
void runAvx2(MaskRun<double> const& run) { runTile<Avx2Double>(run); }

}  // namespace larder::trees

#endif
