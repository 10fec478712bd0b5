#include "cli/migration-code.h"

#include <string>
#include <utility>

#include "base/error.h"
#include "cli/app.h"
#include "cli/error-report.h"
#include "cli/text.h"

namespace schemascript {
namespace {

namespace fs = std::filesystem;

constexpr ReportWords kMigrationWords{
    "", "", "--memory-limit",
    "it runs behind the SQL of its migration, and sees the tables as that has left them"};

// What a rehearsal's code has written, for the case that it fails: the end of it.
class LastWords {
 public:
  void add(std::string_view text) {
    text_ += text;
    if (text_.size() > 2 * kBytesMax) text_.erase(0, text_.size() - kBytesMax);
  }
  std::string_view text() const noexcept { return text_; }

 private:
  static constexpr std::size_t kBytesMax = 64u << 10;
  std::string text_;
};

[[noreturn]] void fail(const RunReport& report, const Limits& limits, SourceMap& map,
                       const fs::path& source) {
  std::string text = renderReport(report, limits, map, Paint(Colours::Off), kMigrationWords);
  while (text.ends_with('\n')) text.pop_back();
  const std::string message = str(source.filename().string(), ": ", text);
  switch (report.end) {
    case CallEnd::TimeExceeded:
    case CallEnd::FuelExceeded:
    case CallEnd::MemoryExceeded:
      throw limitExceeded(message);
    case CallEnd::Cancelled:
      throw limitExceeded(str(source.filename().string(), ": interrupted"));
    case CallEnd::Trapped:
      throw guestFailed(message);
    default:
      throw conflict(message);
  }
}

}  // namespace

MigrationCode::Sandbox::Sandbox() : engine(EngineFiles::in(libraryFolder().string())) {}

void MigrationCode::prepare(const fs::path& source) {
  auto bundle = std::make_shared<const Bundle>(bundleSource(source));
  if (!bundle->complaints.empty()) {
    std::string complaints = bundle->complaints;
    while (complaints.ends_with('\n')) complaints.pop_back();
    throw invalidRequest(str(source.string(), " cannot be run:\n", complaints));
  }
  const std::lock_guard lock(mutex_);
  if (engine_ == nullptr) {
    own_.emplace();
    engine_ = &own_->engine;
    watchdog_ = &own_->watchdog;
  }
  bundles_[source] = std::move(bundle);
}

std::shared_ptr<const Bundle> MigrationCode::bundleOf(const fs::path& source) {
  const std::lock_guard lock(mutex_);
  const auto found = bundles_.find(source);
  SS_CHECK(found != bundles_.end(), "code of a migration that was not prepared");
  return found->second;
}

void MigrationCode::run(Database& database, const fs::path& source, Stage stage) {
  const std::shared_ptr<const Bundle> bundle = bundleOf(source);
  const bool isShown = stage == Stage::Real || options_.showsRehearsal;
  SourceMap map(bundle->map);
  LastWords lastWords;
  RunOptions options;
  options.limits = limitsOfMigration(options_.limits);
  options.log = [&](LogStream, std::string_view text) {
    const std::string mapped =
        SourceMap::mentionsBundle(text) ? map.mapPositions(text) : std::string(text);
    if (!isShown) return lastWords.add(mapped);
    options_.log(mapped);
  };
  if (options_.progress) {
    options.progress = [&](const RunProgress& progress) { options_.progress(source, progress); };
  }
  const Limits limits = options.limits;
  const RunReport report =
      runWithin(*engine_, *watchdog_, database, bundle->code, std::move(options));
  if (report.end == CallEnd::Answered && report.rolledBack == 0) return;
  if (!lastWords.text().empty()) options_.log(lastWords.text());
  fail(report, limits, map, source);
}

}  // namespace schemascript
