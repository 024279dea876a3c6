// parallel_for: every item once, whoever calls it from wherever.
#include "parallel/parallel.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "graph_support.h"
#include "parallel/processors.h"

#if !DYNNET_SANITIZED
// The thread's allocations fail while this holds.
thread_local bool no_memory = false;

void* operator new(size_t bytes) {
  void* const memory = no_memory ? nullptr : std::malloc(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
#endif

namespace dynnet::test {
namespace {

// How often each item was visited.
std::vector<int> visits(int64_t items, int64_t grain) {
  std::vector<std::atomic<int>> counts(static_cast<size_t>(items));
  parallel_for(items, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) counts[static_cast<size_t>(i)].fetch_add(1, std::memory_order_relaxed);
  });
  return {counts.begin(), counts.end()};
}

using Chunks = std::map<int64_t, int64_t>;

Chunks chunks(int64_t items, int64_t grain) {
  std::mutex mutex;
  Chunks result;
  parallel_for(items, grain, [&](int64_t begin, int64_t end) {
    const std::lock_guard lock(mutex);
    EXPECT_TRUE(result.emplace(begin, end).second);
  });
  return result;
}

TEST(Parallel, EveryItemOnce) {
  const ThreadsKept restore;
  for (const int32_t threads : {1, 2, 3, 4, 7}) {
    ASSERT_OK(dn_device_set_threads(threads));
    for (const int64_t items : {0, 1, 2, 3, 15, 16, 17, 100, 1000, 4097})
      for (const int64_t grain : {1, 2, 3, 16, 1000, 5000})
        EXPECT_EQ(visits(items, grain), std::vector<int>(static_cast<size_t>(items), 1))
            << threads << " threads, " << items << " items, chunks of " << grain;
  }
}

TEST(Parallel, ThreadsShareChunksAndOneThreadTakesAllAtOnce) {
  const ThreadsKept restore;
  for (const int64_t items : {1, 10, 99, 1000}) {
    for (const int64_t grain : {1, 7, 64}) {
      ASSERT_OK(dn_device_set_threads(1));
      EXPECT_EQ(chunks(items, grain), (Chunks{{0, items}}));
      for (const int32_t threads : {2, 4}) {
        ASSERT_OK(dn_device_set_threads(threads));
        Chunks shared;
        for (int64_t begin = 0; begin < items; begin += grain) shared[begin] = std::min(begin + grain, items);
        // A pool that another process held up rests for a while, and the work is done alone.
        EXPECT_TRUE(wait_until([&] { return chunks(items, grain) == shared; }));
      }
    }
  }
}

TEST(Processors, AreCountedOnMachinesOfAnySize) {
  const auto large = [](pid_t, size_t bytes, cpu_set_t* set) {
    if (bytes * 8 < 5000) {
      errno = EINVAL;
      return -1;
    }
    for (size_t i = 0; i < 1500; ++i) CPU_SET_S(3 * i, bytes, set);
    return 0;
  };
  EXPECT_EQ(allowed_processors(large), 1500);
  const auto unknown = [](pid_t, size_t, cpu_set_t*) {
    errno = ENOSYS;
    return -1;
  };
  EXPECT_EQ(allowed_processors(unknown), 1);
  const auto refused = [](pid_t, size_t, cpu_set_t*) {
    errno = EINVAL;
    return -1;
  };
  EXPECT_EQ(allowed_processors(refused), 1);
}

TEST(Parallel, ThreadsOfTheEnvironmentMustBeANumber) {
  // In a process of its own, which has not asked for the number yet.
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto run = [](const char* value) {
    setenv("DYNNET_THREADS", value, 1);
    const GraphHandle graph = new_graph();
    float result = 0;
    const dn_expr x = make(graph, dn_op_square, input(graph, {100}, some_values(100)));
    const bool failed = dn_graph_scalar_value(graph.get(), make(graph, dn_op_sum_elems, x), &result) == DN_E_DEVICE;
    const bool named = failed && last_error().find("DYNNET_THREADS") != std::string::npos;
    const bool none = dn_device_threads() == 0;
    const bool set = dn_device_set_threads(2) == DN_OK && dn_device_threads() == 2;
    std::exit(named && none && set ? 0 : 1);
  };
  EXPECT_EXIT(run("abc"), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(run("0"), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(run("4x"), testing::ExitedWithCode(0), "");
}

TEST(Parallel, SeveralThreadsDoTakePart) {
  const ThreadsKept restore;
  ASSERT_OK(dn_device_set_threads(2));
  // The pool rests for a while when another process held up its last work, so this may take some attempts.
  const bool both = wait_until([] {
    std::atomic<int> inside{0};
    std::atomic<bool> met{false};
    parallel_for(2, 1, [&](int64_t, int64_t) {
      ++inside;
      const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
      while (!met && std::chrono::steady_clock::now() < end)
        if (inside == 2) met = true;
    });
    return met.load();
  });
  EXPECT_TRUE(both);
}

#if !DYNNET_SANITIZED
// In a process of its own, where it is known how many helpers there are.
TEST(Parallel, AHelperThatCannotBeStartedIsDoneWithout) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto run = [] {
    set_threads(2);
    bool right = until_shared([] { visits(1000, 1); });
    set_threads(3);
    // Often enough that the pool does not rest all the time.
    for (int i = 0; i < 1000; ++i) {
      std::atomic<int64_t> items{0};
      no_memory = true;
      try {
        parallel_for(1000, 1, [&](int64_t begin, int64_t end) { items += end - begin; });
      } catch (const std::bad_alloc&) {
        right = false;
      }
      no_memory = false;
      right = right && items == 1000;
    }
    right = right && until_shared([] { visits(1000, 1); });
    std::exit(right ? 0 : 1);
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(0), "");
}
#endif

TEST(Parallel, NestedUseRunsOnTheCallersThread) {
  const ThreadsKept restore;
  ASSERT_OK(dn_device_set_threads(4));
  // A pool that rests leaves all to the caller, in one piece, which may use the pool again once that is rested.
  const bool shared = wait_until([] {
    std::vector<std::atomic<int>> counts(100 * 50);
    std::atomic<int> strangers{0};
    std::atomic<bool> in_pieces{false};
    parallel_for(100, 3, [&](int64_t begin, int64_t end) {
      if (end - begin < 100) in_pieces = true;
      for (int64_t i = begin; i < end; ++i) {
        const std::thread::id outer = std::this_thread::get_id();
        parallel_for(50, 4, [&](int64_t inner_begin, int64_t inner_end) {
          if (std::this_thread::get_id() != outer) ++strangers;
          for (int64_t j = inner_begin; j < inner_end; ++j) ++counts[static_cast<size_t>(i * 50 + j)];
        });
      }
    });
    for (const std::atomic<int>& count : counts) EXPECT_EQ(count, 1);
    if (in_pieces) {
      EXPECT_EQ(strangers, 0);
    }
    return in_pieces.load();
  });
  EXPECT_TRUE(shared);
}

TEST(Parallel, SeveralCallersAtOnce) {
  const ThreadsKept restore;
  ASSERT_OK(dn_device_set_threads(3));
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int caller = 0; caller < 5; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 0; i < 200; ++i) {
        const int64_t items = 1 + (caller * 37 + i * 11) % 300;
        if (visits(items, 1 + i % 9) != std::vector<int>(static_cast<size_t>(items), 1)) ++wrong;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Parallel, TheNumberOfThreadsMayChangeMeanwhile) {
  const ThreadsKept restore;
  std::atomic<bool> done{false};
  std::thread changer([&] {
    for (int32_t i = 0; !done; ++i) dn_device_set_threads(1 + i % 5);
  });
  for (int i = 0; i < 2000; ++i) {
    const int64_t items = 1 + i % 70;
    ASSERT_EQ(visits(items, 2), std::vector<int>(static_cast<size_t>(items), 1));
  }
  done = true;
  changer.join();
}

TEST(Parallel, ThreadCountsAreChecked) {
  const ThreadsKept restore;
  expect_failure(dn_device_set_threads(0), DN_E_ARGUMENT, {"threads: 0", "1 to 256"});
  expect_failure(dn_device_set_threads(257), DN_E_ARGUMENT, {"257"});
  expect_failure(dn_device_set_threads(-1), DN_E_ARGUMENT, {"-1"});
  EXPECT_EQ(dn_device_threads(), restore.before());
  ASSERT_OK(dn_device_set_threads(256));
  EXPECT_EQ(dn_device_threads(), 256);
}

// A child process has none of its parent's helpers, and makes its own.
TEST(Parallel, WorksInAForkedChild) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer does not support threads in a forked child";
#endif
  const ThreadsKept restore;
  ASSERT_OK(dn_device_set_threads(3));
  for (int round = 0; round < 5; ++round) {
    visits(1000, 1);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      alarm(30);
      bool right = true;
      for (int i = 0; i < 20; ++i) right = right && visits(1000, 3) == std::vector<int>(1000, 1);
      _exit(right ? 0 : 1);
    }
    visits(1000, 1);
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "wait status " << status;
  }
}

TEST(Parallel, ForkedWhileAnotherThreadComputes) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer does not support threads in a forked child";
#endif
  const ThreadsKept restore;
  ASSERT_OK(dn_device_set_threads(2));
  std::atomic<bool> done{false};
  std::thread worker([&] {
    while (!done) visits(500, 1);
  });
  for (int round = 0; round < 10; ++round) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      alarm(30);
      _exit(visits(1000, 3) == std::vector<int>(1000, 1) ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "wait status " << status;
  }
  done = true;
  worker.join();
}

TEST(Parallel, DenormalsAreFlushedAndRestoredAfterwards) {
#if !defined(__x86_64__)
  GTEST_SKIP() << "only x86-64 has the mode";
#endif
  volatile float tiny = 1e-39f;
  EXPECT_NE(tiny * 0.5f, 0) << "the caller's own arithmetic has denormals";
  {
    const FlushDenormals flush;
    volatile float half = tiny * 0.5f;
    EXPECT_EQ(half, 0);
  }
  const GraphHandle graph = new_graph();
  const dn_expr x = make(graph, dn_op_multiply_scalar, constant(graph, {4}, 1e-30), 1e-9);
  EXPECT_EQ(value(graph, x), std::vector<float>(4, 0));
  volatile float half = tiny * 0.5f;
  EXPECT_NE(half, 0) << "computing has left the mode on";
}

// In a process of its own: a thread begins in the mode of the one that starts it, which here must have denormals.
TEST(Parallel, DenormalsAreFlushedInHelpers) {
#if !defined(__x86_64__)
  GTEST_SKIP() << "only x86-64 has the mode";
#endif
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto run = [] {
    set_threads(3);
    const std::thread::id self = std::this_thread::get_id();
    volatile float tiny = 1e-39f;
    std::atomic<int> flushed{0}, wrong{0};
    const bool shared = wait_until([&] {
      parallel_for(200, 1, [&](int64_t, int64_t) {
        volatile float half = tiny * 0.5f;
        const bool is_helper = std::this_thread::get_id() != self;
        if ((half == 0) != is_helper)
          ++wrong;
        else if (is_helper)
          ++flushed;
      });
      return flushed + wrong > 0;
    });
    std::exit(shared && wrong == 0 ? 0 : 1);
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace dynnet::test
