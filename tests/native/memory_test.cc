// Memory is counted, and refused beyond the limit before it is taken.
#include "memory/memory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/error.h"
#include "dynnet/dynnet.h"
#include "memory/arena.h"
#include "memory/limit.h"
#include "model_support.h"

namespace dynnet::test {
namespace {

TEST(Memory, CountsWhatIsHeld) {
  const int64_t before = memory_used();
  {
    Buffer buffer(1000, "a test");
    EXPECT_EQ(memory_used(), before + 4000);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % 64, 0u);
    for (int64_t i = 0; i < 1000; ++i) ASSERT_EQ(buffer.data()[i], 0.0f);
    const Buffer moved = std::move(buffer);
    EXPECT_EQ(memory_used(), before + 4000);
    EXPECT_EQ(moved.size(), 1000);
  }
  EXPECT_EQ(memory_used(), before);
}

TEST(Memory, ATerabyteIsRefusedWithNumbers) {
  const LimitRestorer restore;
  set_memory_limit(std::min(memory_limit(), kTerabyte / 2));
  const int64_t before = memory_used();
  try {
    allocate(kTerabyte, "a test");
    FAIL() << "a terabyte was handed out";
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(error.status(), DN_E_MEMORY);
    EXPECT_NE(message.find("a test"), std::string::npos) << message;
    EXPECT_NE(message.find("1099511627776 bytes asked for"), std::string::npos) << message;
    EXPECT_NE(message.find(std::to_string(before) + " in use"), std::string::npos) << message;
    EXPECT_NE(message.find("limit is " + std::to_string(memory_limit())), std::string::npos) << message;
  }
  EXPECT_EQ(memory_used(), before);
}

TEST(Memory, ImpossibleSizesAreRefused) {
  Arena arena("an arena");
  // 2^64 bytes, as which 64 bits have 0; 2^63, which they have as a negative number; and what is rounded up to that.
  for (const auto& [n, each] : {std::pair{int64_t{1} << 40, int64_t{1} << 22},
                                {int64_t{1} << 40, int64_t{1} << 21},
                                {std::numeric_limits<int64_t>::max() / 4, int64_t{1}}}) {
    try {
      arena.allocate<float>(n, each);
      FAIL() << n << " times " << each;
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), DN_E_MEMORY);
      EXPECT_NE(std::string(error.what()).find("an arena"), std::string::npos) << error.what();
    }
  }
  EXPECT_NE(arena.allocate<float>(1000, 3), nullptr);
  EXPECT_THROW(allocate(-1, "a test"), Error);
  EXPECT_THROW(allocate(std::numeric_limits<int64_t>::max(), "a test"), Error);
  EXPECT_THROW(Buffer(std::numeric_limits<int64_t>::max() / 2, "a test"), Error);
}

TEST(Memory, TheSystemMayHaveLessThanTheLimitSays) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers end the program instead of refusing memory";
#endif
  const LimitRestorer restore;
  set_memory_limit(std::numeric_limits<int64_t>::max());
  const int64_t before = memory_used();
  // More than the address space of a process.
  EXPECT_THROW(allocate(int64_t{1} << 60, "a test"), Error);
  EXPECT_EQ(memory_used(), before);
}

TEST(Memory, ALimitHoldsAndIsRestored) {
  const LimitRestorer restore;
  const int64_t standard = dn_memory_limit();
  EXPECT_GT(standard, 0);
  ASSERT_OK(dn_memory_set_limit(dn_memory_used() + 4096));
  EXPECT_EQ(dn_memory_limit(), dn_memory_used() + 4096);
  {
    const Buffer fits(1024, "a test");
    EXPECT_THROW(Buffer(1, "a test"), Error);
  }
  EXPECT_NO_THROW(Buffer(1024, "a test"));
  ASSERT_OK(dn_memory_set_limit(0));
  EXPECT_EQ(dn_memory_limit(), standard);
  expect_failure(dn_memory_set_limit(-1), DN_E_ARGUMENT, {"-1"});
}

TEST(Memory, WhatCallersReserveCountsUntilTheyTakeItBack) {
  const LimitRestorer restore;
  const int64_t before = dn_memory_used();
  ASSERT_OK(dn_memory_set_limit(before + 4096));
  ASSERT_OK(dn_memory_reserve(4000));
  EXPECT_EQ(dn_memory_used(), before + 4000);
  expect_failure(dn_memory_reserve(100), DN_E_MEMORY, {"100 bytes", std::to_string(before + 4096)});
  EXPECT_THROW(Buffer(25, "a test"), Error);
  EXPECT_EQ(dn_memory_used(), before + 4000) << "what is refused does not count";
  ASSERT_OK(dn_memory_unreserve(1000));
  EXPECT_NO_THROW(Buffer(25, "a test"));
  ASSERT_OK(dn_memory_unreserve(3000));
  EXPECT_EQ(dn_memory_used(), before);
  expect_failure(dn_memory_reserve(-1), DN_E_ARGUMENT, {"-1"});
  expect_failure(dn_memory_unreserve(-1), DN_E_ARGUMENT, {"-1"});
  EXPECT_EQ(dn_memory_used(), before);
}

TEST(Memory, ALimitBelowWhatIsInUseRefusesEverything) {
  const LimitRestorer restore;
  const Buffer held(1000, "a test");
  set_memory_limit(1);
  EXPECT_THROW(Buffer(1, "a test"), Error);
}

TEST(Memory, ThreadsNeverExceedTheLimitTogether) {
  const LimitRestorer restore;
  const int64_t limit = memory_used() + 10 * 4096;
  set_memory_limit(limit);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      std::vector<Buffer> held;
      for (int j = 0; j < 1000; ++j) {
        try {
          held.emplace_back(1024, "a test");
        } catch (const Error&) {
          held.clear();
        }
        EXPECT_LE(memory_used(), limit);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(memory_used(), limit - 10 * 4096);
}

// A file system root with the files that tell a process its limits.
class FakeRoot : public testing::Test {
 protected:
  FakeRoot() : root_(std::filesystem::temp_directory_path() / ("dynnet-limit-" + std::to_string(getpid()))) {}
  ~FakeRoot() override { std::filesystem::remove_all(root_); }

  void put(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_ / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  int64_t detect() const { return detect_memory_limit(root_.string(), 1000000); }

 private:
  std::filesystem::path root_;
};

TEST_F(FakeRoot, WithoutCgroupsItIsTheMachine) { EXPECT_EQ(detect(), 1000000); }

TEST_F(FakeRoot, Version2) {
  put("proc/self/cgroup", "0::/user/job\n");
  put("sys/fs/cgroup/user/job/memory.max", "500000\n");
  EXPECT_EQ(detect(), 500000);
}

TEST_F(FakeRoot, AParentsLimitBindsItsChildren) {
  put("proc/self/cgroup", "0::/user/job\n");
  put("sys/fs/cgroup/user/job/memory.max", "max\n");
  put("sys/fs/cgroup/user/memory.max", "300000\n");
  EXPECT_EQ(detect(), 300000);
}

TEST_F(FakeRoot, AContainerSeesItsOwnCgroupAtTheRoot) {
  put("proc/self/cgroup", "0::/not/visible/inside\n");
  put("sys/fs/cgroup/memory.max", "200000\n");
  EXPECT_EQ(detect(), 200000);
}

TEST_F(FakeRoot, Version1) {
  put("proc/self/cgroup", "5:cpu,memory:/job\n4:devices:/\n");
  put("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "400000\n");
  EXPECT_EQ(detect(), 400000);
}

TEST_F(FakeRoot, Version1WithoutALimitIsTheMachine) {
  put("proc/self/cgroup", "5:memory:/\n");
  put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(detect(), 1000000);
}

TEST_F(FakeRoot, GarbageSetsNoLimit) {
  put("proc/self/cgroup", "::\n\nnonsense\n0::/job\n");
  put("sys/fs/cgroup/job/memory.max", "12monkeys\n");
  put("sys/fs/cgroup/memory.max", "-5\n");
  EXPECT_EQ(detect(), 1000000);
}

}  // namespace
}  // namespace dynnet::test
