// Work on the pool's threads whose end settles a promise: for every binding whose calls may be
// long.
//
// One pool for each JavaScript environment, and one thread-safe function that brings all ends back
// to its thread, several at a time. It keeps the event loop alive only while work is under way.
// When the environment ends, the threads are joined first: nothing runs, and no buffer is touched,
// afterwards.
#pragma once

#include <napi.h>

#include <cstddef>
#include <functional>
#include <vector>

namespace larder {

struct PoolJob {
  std::size_t sliceCount;  // at least 1
  // Runs one slice on any thread. What the first slice to throw throws becomes the rejection.
  std::function<void(std::size_t slice)> runSlice;
  // What the promise resolves to, on the environment's thread. May be thrown out of.
  std::function<Napi::Value(Napi::Env)> result;
  // Objects whose memory the slices use.
  std::vector<Napi::Object> kept;
};

// On the environment's thread.
Napi::Promise runOnPool(Napi::Env env, PoolJob job);

}  // namespace larder
