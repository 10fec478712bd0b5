// Fingerprints of files and folders, and the encoding.
#include "cli/bundle-cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"

namespace schemascript {
namespace {

using Path = std::filesystem::path;

constexpr std::string_view kAbsent = "absent";

// What esbuild reads in each folder, if it is there.
constexpr std::array<const char*, 3> kSettingFiles{"package.json", "tsconfig.json",
                                                   "jsconfig.json"};

std::string hashOf(std::string_view text) {
  Hasher hasher;
  hasher.add(text);
  return hasher.hex();
}

// Cheap for files that are not there, which most settings are.
std::optional<std::string> tryReadFile(const std::string& file) {
  const FileDescriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status{};
  if (!descriptor.isOpen() || ::fstat(descriptor.get(), &status) != 0) return std::nullopt;
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  std::string content(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t filled = 0;
  while (filled < content.size()) {
    const ssize_t more = ::read(descriptor.get(), content.data() + filled, content.size() - filled);
    if (more < 0 && errno == EINTR) continue;
    if (more <= 0) return std::nullopt;
    filled += static_cast<std::size_t>(more);
  }
  return content;
}

struct CloseFolder {
  void operator()(DIR* raw) const noexcept { ::closedir(raw); }
};

// A name that esbuild may try for an import: a folder, a link, or a file with one of its
// extensions. Others, such as the app's own database, come and go.
bool mayBeImported(const dirent& entry) {
  if (entry.d_type != DT_REG) return true;
  constexpr std::array<std::string_view, 9> kExtensions{".ts",  ".tsx", ".mts", ".cts", ".js",
                                                        ".jsx", ".mjs", ".cjs", ".json"};
  const std::string_view name = entry.d_name;
  return std::any_of(kExtensions.begin(), kExtensions.end(),
                     [name](std::string_view extension) { return name.ends_with(extension); });
}

std::string namesFingerprint(const std::string& folder) {
  const std::unique_ptr<DIR, CloseFolder> directory(::opendir(folder.c_str()));
  if (!directory) return std::string(kAbsent);
  std::vector<std::string> names;
  while (const dirent* const entry = ::readdir(directory.get())) {
    if (!mayBeImported(*entry)) continue;
    std::string name = entry->d_name;
    if (entry->d_type == DT_LNK) {
      std::array<char, 4096> target;
      const ssize_t size =
          ::readlinkat(::dirfd(directory.get()), entry->d_name, target.data(), target.size());
      if (size > 0) (name += '\0').append(target.data(), static_cast<std::size_t>(size));
    }
    names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  Hasher hasher;
  for (const std::string& name : names) hasher.add(name);
  return hasher.hex();
}

std::string changeFingerprint(const std::string& folder) {
  struct stat status{};
  if (::stat(folder.c_str(), &status) != 0) return std::string(kAbsent);
  return std::to_string(status.st_ino) + ' ' + std::to_string(status.st_mtim.tv_sec) + ' ' +
         std::to_string(status.st_mtim.tv_nsec);
}

std::string fileFingerprint(const std::string& file) {
  const auto content = tryReadFile(file);
  return content ? hashOf(*content) : std::string(kAbsent);
}

std::string fingerprintOf(Dependency::Kind kind, const std::string& path) {
  switch (kind) {
    case Dependency::Kind::File:
      return fileFingerprint(path);
    case Dependency::Kind::Names:
      return namesFingerprint(path);
    case Dependency::Kind::Changed:
      break;
  }
  return changeFingerprint(path);
}

bool isInPackage(const Path& path) {
  return std::find(path.begin(), path.end(), "node_modules") != path.end();
}

// Each path once, by what is to be known of it.
class Collector {
 public:
  void addFile(const Path& file) { files_.insert(file.string()); }
  void addNames(const Path& folder) {
    // What npm installs is replaced as a whole; package.json tells.
    if (!isInPackage(folder)) named_.insert(folder.string());
  }

  // What is looked for in `folder` and in each one above it.
  void addSurroundings(const Path& folder) {
    for (Path at = folder; visited_.insert(at.string()).second; at = at.parent_path()) {
      for (const char* const name : kSettingFiles) addSettings(at / name);
      if (at.filename() != "node_modules") changed_.insert((at / "node_modules").string());
    }
  }

  // `node_modules/@scope`, which changes without node_modules doing so.
  void addScope(const Path& importer, std::string_view specifier) {
    const std::string_view scope = specifier.substr(0, specifier.find('/'));
    for (Path at = importer.parent_path();; at = at.parent_path()) {
      changed_.insert((at / "node_modules" / scope).string());
      if (at == at.parent_path()) break;
    }
  }

  std::vector<Dependency> take() const {
    std::vector<Dependency> all;
    const auto add = [&all](Dependency::Kind kind, const std::set<std::string>& paths) {
      for (const auto& path : paths) all.push_back({kind, path, fingerprintOf(kind, path)});
    };
    add(Dependency::Kind::File, files_);
    add(Dependency::Kind::Names, named_);
    add(Dependency::Kind::Changed, changed_);
    return all;
  }

 private:
  void addSettings(const Path& file) {
    if (!files_.insert(file.string()).second) return;
    if (file.filename() == "package.json") return;
    const auto content = tryReadFile(file.string());
    if (content) addExtended(file, *content);
  }

  // The files that a tsconfig.json names with `"extends"`, where they are named relative to it.
  // Comments and escapes are not understood: at worst a file that does not matter is watched.
  void addExtended(const Path& file, std::string_view content) {
    constexpr std::string_view kKey = "\"extends\"";
    std::size_t at = content.find(kKey);
    if (at == std::string_view::npos) return;
    at += kKey.size();
    const std::size_t end = content.find_first_of(",]}\n", content.find('"', at));
    std::string_view rest = content.substr(at, end == std::string_view::npos ? end : end - at);
    if (rest.find('[') != std::string_view::npos) {
      rest = content.substr(at, content.find(']', at) - at);
    }
    for (;;) {
      const std::size_t begin = rest.find('"');
      if (begin == std::string_view::npos) return;
      const std::size_t close = rest.find('"', begin + 1);
      if (close == std::string_view::npos) return;
      const std::string_view name = rest.substr(begin + 1, close - begin - 1);
      rest.remove_prefix(close + 1);
      if (!name.starts_with('.') && !name.starts_with('/')) continue;
      const Path extended = (file.parent_path() / name).lexically_normal();
      addSettings(extended);
      if (extended.extension() != ".json") addSettings(extended.string() + ".json");
    }
  }

  std::set<std::string> files_;
  std::set<std::string> named_;
  std::set<std::string> changed_;
  std::set<std::string> visited_;
};

// The encoding: texts behind their lengths, behind a hash of all of it.
constexpr std::string_view kMagic = "schemascript-bundle-1\n";
constexpr std::size_t kHashSize = 32;

void appendNumber(std::string& out, std::size_t number) {
  const auto value = static_cast<std::uint32_t>(number);
  SS_CHECK(value == number, "a bundle of more than 4 GB");
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void appendText(std::string& out, std::string_view text) {
  appendNumber(out, text.size());
  out += text;
}

// Never reads beyond the end; `failed` once it would have.
class Reader {
 public:
  explicit Reader(std::string_view rest) noexcept : rest_(rest) {}

  std::uint32_t number() noexcept {
    std::uint32_t value = 0;
    const std::string_view bytes = take(sizeof value);
    if (!failed_) std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  std::string text() { return std::string(take(number())); }
  char character() noexcept {
    const std::string_view byte = take(1);
    return failed_ ? '\0' : byte.front();
  }
  bool failed() const noexcept { return failed_; }
  bool atEnd() const noexcept { return !failed_ && rest_.empty(); }

 private:
  std::string_view take(std::size_t size) noexcept {
    if (size > rest_.size()) failed_ = true;
    if (failed_) return {};
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace

std::vector<Dependency> dependenciesOf(const EsbuildOutput& output) {
  Collector collector;
  for (const std::string& input : output.inputs) {
    const Path file(input);
    collector.addFile(file);
    collector.addNames(file.parent_path());
    collector.addSurroundings(file.parent_path());
  }
  for (const FollowedImport& import : output.imports) {
    const Path importer(import.importer);
    const std::string_view specifier = import.specifier;
    if (specifier.starts_with('.')) {
      // Where a file would be preferred to the folder of that name that was found.
      collector.addNames((importer.parent_path() / specifier).lexically_normal().parent_path());
    } else if (specifier.starts_with('@')) {
      collector.addScope(importer, specifier);
    }
  }
  return collector.take();
}

std::vector<std::string> filesOf(const std::vector<Dependency>& dependencies) {
  const auto isSettings = [](const Path& file) {
    return std::ranges::find(kSettingFiles, file.filename().string()) != kSettingFiles.end();
  };
  std::set<Path> folders;
  for (const Dependency& dependency : dependencies) {
    const Path file(dependency.path);
    if (dependency.kind == Dependency::Kind::File && !isSettings(file)) {
      folders.insert(file.parent_path());
    }
  }
  std::vector<std::string> files;
  for (const Dependency& dependency : dependencies) {
    const bool isWanted =
        dependency.fingerprint != kAbsent || folders.contains(Path(dependency.path).parent_path());
    if (dependency.kind == Dependency::Kind::File && isWanted) files.push_back(dependency.path);
  }
  return files;
}

bool isCurrent(const std::vector<Dependency>& dependencies) {
  return std::all_of(dependencies.begin(), dependencies.end(), [](const Dependency& dependency) {
    return fingerprintOf(dependency.kind, dependency.path) == dependency.fingerprint;
  });
}

std::string encodeBundle(const CachedBundle& bundle) {
  std::string body;
  appendNumber(body, bundle.dependencies.size());
  for (const Dependency& dependency : bundle.dependencies) {
    body += static_cast<char>(dependency.kind);
    appendText(body, dependency.path);
    appendText(body, dependency.fingerprint);
  }
  appendNumber(body, bundle.map.sources.size());
  for (const std::string& source : bundle.map.sources) appendText(body, source);
  appendText(body, bundle.map.mappings);
  appendText(body, bundle.code);
  return std::string(kMagic) + hashOf(body) + body;
}

std::optional<CachedBundle> tryDecodeBundle(std::string_view text) {
  if (!text.starts_with(kMagic) || text.size() < kMagic.size() + kHashSize) return std::nullopt;
  text.remove_prefix(kMagic.size());
  const std::string_view hash = text.substr(0, kHashSize);
  text.remove_prefix(kHashSize);
  if (hashOf(text) != hash) return std::nullopt;
  Reader reader(text);
  CachedBundle bundle;
  for (std::uint32_t left = reader.number(); left > 0 && !reader.failed(); --left) {
    const auto kind = static_cast<Dependency::Kind>(reader.character());
    std::string path = reader.text();
    bundle.dependencies.push_back({kind, std::move(path), reader.text()});
  }
  for (std::uint32_t left = reader.number(); left > 0 && !reader.failed(); --left) {
    bundle.map.sources.push_back(reader.text());
  }
  bundle.map.mappings = reader.text();
  bundle.code = reader.text();
  if (!reader.atEnd()) return std::nullopt;
  return bundle;
}

void trimCache(const Path& folder, std::uint64_t bytesMax) noexcept {
  try {
    struct Entry {
      std::filesystem::file_time_type written;
      std::uint64_t bytes;
      Path path;
    };
    std::vector<Entry> entries;
    std::uint64_t total = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      std::error_code gone;
      const std::uint64_t bytes = entry.file_size(gone);
      const auto written = entry.last_write_time(gone);
      if (gone) continue;
      entries.push_back({written, bytes, entry.path()});
      total += bytes;
    }
    if (total <= bytesMax) return;
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return a.written < b.written; });
    for (const Entry& entry : entries) {
      if (total <= bytesMax / 4 * 3) return;
      std::error_code failure;
      std::filesystem::remove(entry.path, failure);
      total -= entry.bytes;
    }
  } catch (const std::exception&) {
    // Another process trims at the same time, or the folder went away.
  }
}

}  // namespace schemascript
