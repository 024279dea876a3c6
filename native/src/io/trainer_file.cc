#include "io/trainer_file.h"

#include <charconv>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "core/error.h"
#include "io/block_writer.h"
#include "io/text_format.h"
#include "io/words.h"

namespace dynnet::io {
namespace {

constexpr int kVersion = 1;

const char* kind_of(const dn_parameter&) { return "#Parameter#"; }
const char* kind_of(const dn_lookup_parameter&) { return "#LookupParameter#"; }
int64_t rows_of(const dn_parameter&) { return 0; }
int64_t rows_of(const dn_lookup_parameter& table) { return table.rows; }

template <class Trained>
std::string shape_of(const Trained& trained) {
  return shape_text(trained.dim, rows_of(trained));
}

std::string moment_name(int number, const std::string& name) { return "/moment" + std::to_string(number) + name; }
std::string average_name(const std::string& name) { return "/average" + name; }

std::string text_of(double number) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, number).ptr};
}

void check_state(const dn_trainer& trainer, const char* what) {
  if (trainer.state().average.is_swapped())
    fail(DN_E_STATE, "%s: the model's values are their averages; swap them for the weights first", what);
}

class StateReader {
 public:
  StateReader(dn_trainer& trainer, std::string_view text, const std::string& source)
      : trainer_(trainer), rest_(text), source_(source) {}

  TrainerState read() {
    state_.grow(*trainer_.model().storage);
    read_kind();
    read_settings();
    read_average();
    read_trained();
    entries_ = read_entries(rest_, "", source_, line_);
    for (Entry& entry : entries_) by_name_.emplace(entry.name, &entry);
    size_t used = 0;
    trainer_.model().for_each([&](const auto& trained) { used += take_entries(trained); });
    if (used != entries_.size())
      fail(DN_E_FORMAT, "%s has moments or averages that belong to nothing in it", source_.c_str());
    return std::move(state_);
  }

 private:
  /// What the list of what is trained says of one.
  struct Listed {
    bool has_moments = false;
    int64_t averaged = 0;
  };

  [[noreturn]] void fail_here(const std::string& message) const {
    fail(DN_E_FORMAT, "%s, line %lld: %s", source_.c_str(), static_cast<long long>(line_), message.c_str());
  }

  std::string_view next_line() {
    ++line_;
    const size_t end = rest_.find('\n');
    if (end == std::string_view::npos) fail_here("the text ends here");
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return line;
  }

  std::string_view line_of(std::string_view tag) {
    std::string_view line = next_line();
    const std::string_view found = take_word(line);
    if (found != tag) fail_here(format("expected %s, found %s", std::string(tag).c_str(), excerpt(found).c_str()));
    return line;
  }

  template <class Number>
  Number number(std::string_view& line, const char* what) const {
    const std::string_view word = take_word(line);
    Number result{};
    if (!parse_number(word, &result)) fail_here(format("%s is no %s", excerpt(word).c_str(), what));
    return result;
  }

  int64_t count(std::string_view& line, const char* what) const {
    const int64_t result = number<int64_t>(line, what);
    // Far more than anything counts, and far from where adding to it overflows.
    constexpr int64_t kMost = int64_t{1} << 53;
    if (result < 0 || result > kMost) fail_here(format("%lld is no %s", static_cast<long long>(result), what));
    return result;
  }

  void expect_end(std::string_view line) const {
    const std::string_view word = take_word(line);
    if (!word.empty()) fail_here(format("%s is more than there should be", excerpt(word).c_str()));
  }

  /// Calls what checks numbers, and says where those that are out of their range stand.
  template <class F>
  void checked(F&& f) const {
    try {
      f();
    } catch (const Error& error) {
      fail_here(error.what());
    }
  }

  void read_kind() {
    std::string_view line = line_of("#Trainer#");
    const int version = number<int>(line, "version of the format");
    if (version != kVersion) fail_here(format("version %d of the format; this library reads %d", version, kVersion));
    const std::string_view kind = take_word(line);
    const Rule& own = *trainer_.state().rule;
    if (kind != own.name()) {
      fail(DN_E_FORMAT, "%s is of a trainer of the kind %s, and this one is of the kind %s", source_.c_str(),
           excerpt(kind).c_str(), own.name());
    }
    std::vector<double> settings;
    for (size_t i = 0; i < own.settings().size(); ++i) settings.push_back(number<double>(line, "setting"));
    expect_end(line);
    checked([&] { state_.rule = own.with(settings); });
  }

  void read_settings() {
    std::string_view line = line_of("#State#");
    const double rate = number<double>(line, "learning rate");
    const double threshold = number<double>(line, "clipping threshold");
    const double bound = number<double>(line, "clipping bound");
    checked([&] {
      state_.learning_rate = checked_learning_rate(rate);
      state_.clip_threshold = checked_clipping(threshold, "threshold");
      state_.clip_value = checked_clipping(bound, "bound");
    });
    state_.sparse = count(line, "choice of sparse updates") != 0;
    state_.updates = count(line, "number of updates");
    state_.clips = count(line, "number of clips");
    state_.steps = count(line, "number of steps");
    state_.status_updates = count(line, "number of updates");
    state_.status_clips = count(line, "number of clips");
    expect_end(line);
  }

  void read_average() {
    std::string_view line = line_of("#Average#");
    const int32_t kind = number<int32_t>(line, "kind of average");
    const double beta = number<double>(line, "beta");
    const int64_t every = number<int64_t>(line, "number of updates");
    expect_end(line);
    checked([&] { state_.average = MovingAverage(kind, beta, every); });
  }

  void read_trained() {
    std::string_view line = line_of("#Trained#");
    const int64_t n = count(line, "number of parameters");
    expect_end(line);
    std::map<std::string, std::pair<std::string, Listed>> listed;
    for (int64_t i = 0; i < n; ++i) {
      line = next_line();
      const std::string kind(take_word(line));
      const std::string name(take_word(line));
      const std::string shape(take_word(line));
      const Listed that{count(line, "choice of moments") != 0, count(line, "number of averaged values")};
      expect_end(line);
      if (!listed.emplace(name, std::pair(kind + ' ' + name + ' ' + shape, that)).second)
        fail_here(format("%s appears twice", excerpt(name).c_str()));
    }
    trainer_.model().for_each([&](const auto& trained) {
      const std::string own = std::string(kind_of(trained)) + ' ' + trained.name + ' ' + shape_of(trained);
      const auto found = listed.find(trained.name);
      if (found == listed.end())
        fail(DN_E_FORMAT, "%s is of another model: it does not have %s", source_.c_str(), own.c_str());
      if (found->second.first != own) {
        fail(DN_E_FORMAT, "%s is of another model: it has %s, the trainer's model %s", source_.c_str(),
             excerpt(found->second.first).c_str(), own.c_str());
      }
      listed_.emplace(trained.name, found->second.second);
      listed.erase(found);
    });
    if (!listed.empty()) {
      fail(DN_E_FORMAT, "%s is of another model: it has %s, the trainer's model does not", source_.c_str(),
           excerpt(listed.begin()->second.first).c_str());
    }
  }

  /// Moves the moments and the average of one into the state; how many entries those were.
  template <class Trained>
  size_t take_entries(const Trained& trained) {
    const Listed& listed = listed_.at(trained.name);
    size_t used = 0;
    if (listed.has_moments) {
      Moments& moments = state_.of(trained);
      for (int i = 0; i < state_.rule->moments(); ++i, ++used) {
        Entry& entry = find(moment_name(i, trained.name), trained);
        if (i >= state_.rule->first_square()) check_squares(entry);
        moments.values[i] = std::move(entry.values);
      }
      moments.made = true;
    }
    if (listed.averaged > 0) {
      MovingAverage::Average& average = state_.average.of(trained);
      average.values = std::move(find(average_name(trained.name), trained).values);
      average.count = listed.averaged;
      ++used;
    }
    return used;
  }

  void check_squares(const Entry& entry) const {
    for (int64_t i = 0; i < entry.values.size(); ++i) {
      if (!(entry.values.data()[i] < 0)) continue;
      fail(DN_E_FORMAT, "%s, line %lld: element %lld of %s is %g, and no sum of squares is that", source_.c_str(),
           static_cast<long long>(entry.line), static_cast<long long>(i), entry.name.c_str(),
           static_cast<double>(entry.values.data()[i]));
    }
  }

  template <class Trained>
  Entry& find(const std::string& name, const Trained& trained) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) fail(DN_E_FORMAT, "%s lacks %s", source_.c_str(), name.c_str());
    Entry& entry = *found->second;
    const std::string shape = shape_text(entry.dim, entry.is_table ? entry.rows : 0);
    if (shape != shape_of(trained)) {
      fail(DN_E_FORMAT, "%s, line %lld: %s is %s, and %s is %s", source_.c_str(), static_cast<long long>(entry.line),
           name.c_str(), shape.c_str(), trained.name.c_str(), shape_of(trained).c_str());
    }
    return entry;
  }

  dn_trainer& trainer_;
  std::string_view rest_;
  const std::string& source_;
  int64_t line_ = 0;
  TrainerState state_;
  std::map<std::string, Listed> listed_;
  std::vector<Entry> entries_;
  std::map<std::string_view, Entry*> by_name_;
};

}  // namespace

void write_trainer(const dn_trainer& trainer, const Sink& sink) {
  check_state(trainer, "save");
  const TrainerState& state = trainer.state();
  const MovingAverage& average = state.average;
  BlockWriter out(sink);
  std::string settings;
  for (const double setting : state.rule->settings()) settings += ' ' + text_of(setting);
  out.write(format("#Trainer# %d %s%s\n", kVersion, state.rule->name(), settings.c_str()));
  out.write("#State# " + text_of(state.learning_rate) + ' ' + text_of(state.clip_threshold) + ' ' +
            text_of(state.clip_value) + (state.sparse ? " 1" : " 0"));
  for (const int64_t count : {state.updates, state.clips, state.steps, state.status_updates, state.status_clips})
    out.write(' ' + std::to_string(count));
  out.write(format("\n#Average# %d %s %lld\n", average.kind(), text_of(average.beta()).c_str(),
                   static_cast<long long>(average.every())));
  size_t trained_count = 0;
  trainer.model().for_each([&](const auto&) { ++trained_count; });
  out.write(format("#Trained# %zu\n", trained_count));
  trainer.model().for_each([&](const auto& trained) {
    const MovingAverage::Average* const own = average.find(trained);
    out.write(format("%s %s %s %d %lld\n", kind_of(trained), trained.name.c_str(), shape_of(trained).c_str(),
                     state.find(trained) != nullptr ? 1 : 0, static_cast<long long>(own != nullptr ? own->count : 0)));
  });
  const auto write_entries = [&](const auto& trained) {
    const auto write = [&](const std::string& name, const Buffer& values) {
      write_entry(out, name, trained.dim, rows_of(trained), values);
    };
    if (const Moments* const moments = state.find(trained); moments != nullptr)
      for (int i = 0; i < state.rule->moments(); ++i) write(moment_name(i, trained.name), moments->values[i]);
    if (const MovingAverage::Average* const own = average.find(trained); own != nullptr)
      write(average_name(trained.name), own->values);
  };
  trainer.model().for_each(write_entries);
  out.flush();
}

void populate_trainer(dn_trainer& trainer, std::string_view text, const std::string& source) {
  check_state(trainer, "populate");
  trainer.state() = StateReader(trainer, text, source).read();
}

}  // namespace dynnet::io
