// The door of a graph: never two inside, and whoever is last finds it closed, whatever the threads do.
#include "graph/entrance.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace dynnet::test {
namespace {

using Entry = Entrance::Entry;

bool is_inside(Entry entry) { return entry == Entry::kOwner || entry == Entry::kOther; }

TEST(Entrance, TheFirstThreadBecomesTheOwner) {
  Entrance door;
  EXPECT_EQ(door.enter(), Entry::kClosed);
  door.open();
  EXPECT_EQ(door.enter(), Entry::kOther);
  EXPECT_EQ(door.enter(), Entry::kBusy);
  EXPECT_FALSE(door.leave(Entry::kOther));
  EXPECT_EQ(door.enter(), Entry::kOwner);
  EXPECT_EQ(door.enter(), Entry::kBusy);
  EXPECT_FALSE(door.leave(Entry::kOwner));
  std::thread([&] {
    EXPECT_EQ(door.enter(), Entry::kOther);
    EXPECT_FALSE(door.leave(Entry::kOther));
  }).join();
  EXPECT_EQ(door.enter(), Entry::kOther);
  EXPECT_FALSE(door.leave(Entry::kOther));
  EXPECT_TRUE(door.close());
  EXPECT_FALSE(door.close());
  EXPECT_EQ(door.enter(), Entry::kClosed);
}

TEST(Entrance, AnOwnerInsideKeepsOthersOut) {
  Entrance door;
  door.open();
  EXPECT_FALSE(door.leave(door.enter()));
  const Entry entry = door.enter();
  ASSERT_EQ(entry, Entry::kOwner);
  std::thread([&] { EXPECT_EQ(door.enter(), Entry::kBusy); }).join();
  EXPECT_FALSE(door.leave(entry));
  EXPECT_EQ(door.enter(), Entry::kOther);
  EXPECT_FALSE(door.leave(Entry::kOther));
}

TEST(Entrance, ClosedWhileSomebodyIsInside) {
  for (const bool owner : {false, true}) {
    Entrance door;
    door.open();
    if (owner) {
      EXPECT_FALSE(door.leave(door.enter()));
    }
    const Entry entry = door.enter();
    ASSERT_EQ(entry, owner ? Entry::kOwner : Entry::kOther);
    std::thread([&] {
      EXPECT_FALSE(door.close());
      EXPECT_EQ(door.enter(), Entry::kClosed);
    }).join();
    EXPECT_TRUE(door.leave(entry));
    EXPECT_EQ(door.enter(), Entry::kClosed);
  }
}

// The owner leaves, its ownership taken away before, while another thread closes: one of them finds itself alone.
TEST(Entrance, AnOwnerWhoLostItsOwnershipMayBeTheLast) {
  constexpr int kRounds = 20000;
  std::vector<Entrance> doors(kRounds);
  std::atomic<int> inside{-1};
  std::atomic<int> refused{-1};
  std::atomic<int> alone{0};
  std::thread owner([&] {
    for (int i = 0; i < kRounds; ++i) {
      Entrance& door = doors[static_cast<size_t>(i)];
      door.open();
      EXPECT_FALSE(door.leave(door.enter()));
      const Entry entry = door.enter();
      EXPECT_EQ(entry, Entry::kOwner);
      inside = i;
      while (refused < i) std::this_thread::yield();
      for (int j = 0; j < i % 50; ++j) (void)inside.load();
      if (door.leave(entry)) ++alone;
    }
  });
  for (int i = 0; i < kRounds; ++i) {
    Entrance& door = doors[static_cast<size_t>(i)];
    while (inside < i) std::this_thread::yield();
    EXPECT_EQ(door.enter(), Entry::kBusy);
    refused = i;
    for (int j = 0; j < i % 37; ++j) (void)inside.load();
    if (door.close()) ++alone;
  }
  owner.join();
  EXPECT_EQ(alone, kRounds);
}

// The owner comes and goes while others try to, and one closes the door in the middle of it.
TEST(Entrance, NeverTwoInsideAndOneIsLast) {
  constexpr int kRounds = 100;
  for (int round = 0; round < kRounds; ++round) {
    Entrance door;
    door.open();
    EXPECT_FALSE(door.leave(door.enter()));
    std::atomic<int> inside{0};
    std::atomic<int> alone{0};
    std::atomic<int> crowds{0};
    std::atomic<int> visits{0};
    const auto visit = [&] {
      const Entry entry = door.enter();
      if (entry == Entry::kLast) ++alone;
      if (!is_inside(entry)) return entry == Entry::kBusy;
      if (inside.fetch_add(1) != 0) ++crowds;
      ++visits;
      inside.fetch_sub(1);
      if (door.leave(entry)) ++alone;
      return true;
    };
    std::vector<std::thread> others;
    for (int i = 0; i < 2; ++i) {
      others.emplace_back([&, i] {
        // Some rounds are the owner's alone for most of the time.
        for (int j = 0; j < (round % 3) * 10 * i; ++j) std::this_thread::yield();
        for (int j = 0; j < 200 && visit(); ++j) continue;
      });
    }
    others.emplace_back([&] {
      for (int j = 0; j < round % 40; ++j) std::this_thread::yield();
      if (door.close()) ++alone;
    });
    while (visit()) continue;
    for (std::thread& other : others) other.join();
    EXPECT_EQ(crowds, 0);
    EXPECT_EQ(alone, 1) << "round " << round;
  }
}

}  // namespace
}  // namespace dynnet::test
