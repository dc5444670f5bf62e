#include "pool_promise.h"

#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "worker_pool.h"

namespace larder {

namespace {

// A job under way. Only the environment's thread makes and destroys it.
struct Job {
  Job(Napi::Env env, PoolJob&& given)
      : deferred(Napi::Promise::Deferred::New(env)),
        runSlice(std::move(given.runSlice)),
        result(std::move(given.result)) {
    for (Napi::Object const& object : given.kept) kept.push_back(Napi::Persistent(object));
  }

  Napi::Promise::Deferred deferred;
  std::function<void(std::size_t)> runSlice;
  std::function<Napi::Value(Napi::Env)> result;
  std::vector<Napi::ObjectReference> kept;
  std::mutex mutex;
  std::string failure;
  bool hasFailed = false;
};

class EnvironmentPool {
 public:
  explicit EnvironmentPool(Napi::Env env)
      : env_(env),
        ends_(Napi::ThreadSafeFunction::New(
            env, Napi::Function::New(env, [](Napi::CallbackInfo const&) {}), "larder pool", 0, 1)),
        pool_(WorkerPool::defaultThreadCount()) {
    ends_.Unref(env);
  }

  Napi::Promise run(PoolJob&& given) {
    std::size_t const sliceCount = given.sliceCount;
    auto owned = std::make_unique<Job>(env_, std::move(given));
    Job* const job = owned.get();
    Napi::Promise const promise = job->deferred.Promise();
    underWay_.push_back(std::move(owned));
    try {
      pool_.add({sliceCount, [job](std::size_t slice) { runSlice(*job, slice); },
                 [this, job] { end(job); }});
    } catch (...) {
      underWay_.pop_back();
      throw;
    }
    if (underWay_.size() == 1) ends_.Ref(env_);
    return promise;
  }

  void close() {
    pool_.stop();
    underWay_.clear();
    ends_.Release();
  }

 private:
  // On a thread of the pool.
  static void runSlice(Job& job, std::size_t slice) {
    try {
      job.runSlice(slice);
    } catch (std::exception const& error) {
      fail(job, error.what());
    } catch (...) {
      fail(job, "an exception of no known type");
    }
  }

  static void fail(Job& job, char const* what) {
    std::lock_guard const lock(job.mutex);
    if (!job.hasFailed) job.failure = what;
    job.hasFailed = true;
  }

  // On a thread of the pool. One call brings back all that has ended by then.
  void end(Job* job) {
    bool isFirst = false;
    {
      std::lock_guard const lock(mutex_);
      isFirst = ended_.empty();
      ended_.push_back(job);
    }
    if (!isFirst) return;
    ends_.NonBlockingCall([this](Napi::Env env, Napi::Function) {
      // Without an environment there is nobody to tell.
      if (static_cast<napi_env>(env) != nullptr) settleEnded(env);
    });
  }

  void settleEnded(Napi::Env env) {
    std::vector<Job*> ended;
    {
      std::lock_guard const lock(mutex_);
      ended.swap(ended_);
    }
    for (Job* const job : ended) {
      Napi::HandleScope const scope(env);
      settle(env, *job);
      std::erase_if(underWay_, [&](auto const& owned) { return owned.get() == job; });
    }
    if (underWay_.empty()) ends_.Unref(env);
  }

  static void settle(Napi::Env env, Job& job) {
    if (job.hasFailed) return job.deferred.Reject(Napi::Error::New(env, job.failure).Value());
    try {
      job.deferred.Resolve(job.result(env));
    } catch (Napi::Error const& error) {
      job.deferred.Reject(error.Value());
    }
  }

  Napi::Env env_;
  Napi::ThreadSafeFunction ends_;
  std::vector<std::unique_ptr<Job>> underWay_;  // the environment's thread's alone
  std::mutex mutex_;
  std::vector<Job*> ended_;
  WorkerPool pool_;  // last: its threads use all of the above
};

}  // namespace

Napi::Promise runOnPool(Napi::Env env, PoolJob job) {
  EnvironmentPool* pool = env.GetInstanceData<EnvironmentPool>();
  if (pool == nullptr) {
    pool = new EnvironmentPool(env);
    env.SetInstanceData(pool);  // deleted with the environment
    // Hooks run last first: this one before those of the thread-safe function and the environment.
    env.AddCleanupHook([](EnvironmentPool* closing) { closing->close(); }, pool);
  }
  return pool->run(std::move(job));
}

}  // namespace larder
