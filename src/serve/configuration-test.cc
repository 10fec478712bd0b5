// schemascript.json: what it takes, what it refuses and how, and that its JSON Schema says the
// same.
#include "serve/configuration.h"

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>

#include "base/file.h"
#include "base/testing.h"

namespace schemascript {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

Configuration parse(std::string_view text) { return parseConfiguration(text, "/apps/s.json"); }

void expectRefused(std::string_view text, std::string_view message) {
  expectError(ErrorCode::InvalidRequest, str("/apps/s.json: ", message), [&] { parse(text); });
}

TEST(Configuration, TakesEverything) {
  const Configuration all = parse(R"({
    "app": "src/app.ts", "db": "../app.db", "envFile": "/etc/.env", "tenants": "./t",
    "tenantFrom": "header:X-Tenant", "address": "::1", "port": 0, "adminPort": 65535,
    "threads": 1024, "isolation": "worker", "push": true, "migrate": false, "migrations": "m", "log": "text",
    "readOnly": true, "showValues": true, "traceSql": false, "grace": "5s",
    "schedules": [{"cron": "@daily"}, {"missed": "run", "cron": "*/5 * * * *"}],
    "limits": {"runTimeMax": "2s", "memoryBytesMax": "32mb", "valueBytesMax": 1000,
               "statementsMax": "50"}})");
  Configuration expected;
  expected.app = "/apps/src/app.ts";
  expected.db = "/app.db";
  expected.envFile = "/etc/.env";
  expected.tenants = "/apps/t";
  expected.tenantFrom = TenantSource{TenantSource::Kind::Header, "x-tenant"};
  expected.address = "::1";
  expected.port = 0;
  expected.adminPort = 65'535;
  expected.threads = 1'024;
  expected.isolation = Isolation::Worker;
  expected.push = true;
  expected.migrate = false;
  expected.migrations = "/apps/m";
  expected.log = LogForm::Text;
  expected.readOnly = true;
  expected.showValues = true;
  expected.traceSql = false;
  expected.grace = 5s;
  expected.schedules = {{"@daily", Schedule::Missed::Skip}, {"*/5 * * * *", Schedule::Missed::Run}};
  expected.limits = {{"runTimeMax", 2'000},
                     {"memoryBytesMax", 32u << 20},
                     {"valueBytesMax", 1'000},
                     {"statementsMax", 50}};
  EXPECT_TRUE(all == expected);
  EXPECT_TRUE(parse("{}") == Configuration());
  EXPECT_EQ(parseConfiguration(R"({"db": "a.db"})", "schemascript.json").db, "a.db");
}

TEST(Configuration, SaysWhatIsWrong) {
  expectRefused(R"({"prot": 1})", "unknown name \"prot\"; did you mean \"port\"?");
  expectRefused(R"({"limits": {"runTimMax": "2s"}})",
                "limits: unknown name \"runTimMax\"; did you mean \"runTimeMax\"?");
  expectRefused(R"({"limits": {"runTimeMax": "2x"}})",
                "limits: runTimeMax: \"2x\" is not a duration; write a whole number with its unit, "
                "such as 200ms, 2s or 1m");
  expectRefused(R"({"limits": {"runTimeMax": 2}})",
                "limits: runTimeMax: it must be a duration as a string, such as \"200ms\" or "
                "\"2s\"");
  expectRefused(R"({"limits": {"runTimeMax": "0s"}})",
                "limits: runTimeMax: it must be more than 0");
  expectRefused(R"({"limits": {"valueBytesMax": "2gb"}})",
                "limits: valueBytesMax: it may be 2147483647");
  expectRefused(R"({"limits": {"statementsMax": "2mb"}})",
                "limits: statementsMax: \"2mb\" is not a whole number");
  expectRefused(R"({"limits": {"fuelMax": -1}})",
                "limits: fuelMax: it must be a whole number from 1 to 9223372036854775807");
  for (const char* const port : {"65536", "-1", "1.5", "80.0", "1e2", "\"80\"", "null", "1e30"}) {
    expectRefused(str(R"({"port": )", port, "}"),
                  "port: it must be a whole number from 0 to 65535");
  }
  expectRefused(R"({"threads": 0})", "threads: it must be a whole number from 1 to 1024");
  expectRefused(R"({"threads": 1025})", "threads: it must be a whole number from 1 to 1024");
  expectRefused(R"({"app": ""})", "app: it must not be empty");
  expectRefused(R"({"app": "a\u0000b"})", "app: it must not hold a NUL");
  expectRefused(R"({"push": "yes"})", "push: it must be true or false");
  expectRefused(R"({"isolation": "none"})", "isolation: \"none\" is none of request, worker");
  expectRefused(R"({"tenantFrom": "header:"})",
                "tenantFrom: \"header:\" is none of host, path, header, header:NAME, such as "
                "header:x-tenant");
  expectRefused(R"({"tenantFrom": "header:a b"})",
                "tenantFrom: \"header:a b\" is none of host, path, header, header:NAME, such as "
                "header:x-tenant");
  expectRefused(R"({"schedules": [{"cron": "@daily"}, {}]})",
                "schedules: [1]: it needs a cron expression as \"cron\"");
  expectRefused(R"({"schedules": [{"cron": "@daily", "missed": "later"}]})",
                "schedules: [0]: missed: \"later\" is none of run, skip");
  expectRefused(R"({"schedules": {}})", "schedules: it must be an array");
  EXPECT_NE(errorOf([] { parse(R"({"schedules": [{"cron": "x"}]})"); })
                .message()
                .find("schedules: [0]: cron: the cron expression \"x\" has 1 fields"),
            std::string::npos);
  expectRefused("[]", "it must be an object");
}

TEST(Configuration, NamesTheLineThatIsNotJson) {
  const auto message = [](std::string_view text) {
    return errorOf([text] { parse(text); }).message();
  };
  EXPECT_EQ(message("{\n\"port\": 1,\n}").find("/apps/s.json: line 3 is not JSON: "), 0u);
  EXPECT_EQ(message("{}\n\nx").find("/apps/s.json: line 3 is not JSON: "), 0u);
  EXPECT_EQ(message("").find("/apps/s.json: line 1 is not JSON: "), 0u);
  EXPECT_EQ(message("{\n").find("/apps/s.json: line 2 is not JSON: "), 0u);
  EXPECT_EQ(message(std::string(100'000, '[')).find("/apps/s.json: line 1 is not JSON: "), 0u);
}

TEST(Configuration, HasBounds) {
  const auto schedules = [](std::size_t count) {
    std::string text = R"({"schedules": [)";
    for (std::size_t i = 0; i < count; ++i) text += str(i ? "," : "", R"({"cron":"@daily"})");
    return text + "]}";
  };
  EXPECT_EQ(parse(schedules(100)).schedules->size(), 100u);
  expectRefused(schedules(101), "schedules: there are 101; there may be 100");
  EXPECT_TRUE(parse("{}" + std::string(kConfigurationBytesMax - 2, ' ')) == Configuration());
  expectRefused("{}" + std::string(kConfigurationBytesMax - 1, ' '),
                "it has 1048577 bytes; it may have 1048576");
}

TEST(Configuration, IsFoundBesideTheApp) {
  const TemporaryFolder folder;
  EXPECT_EQ(tryFindConfiguration(folder / "app.ts"), std::nullopt);
  std::ofstream(folder / "schemascript.json") << R"({"db": "a.db"})";
  const auto file = tryFindConfiguration(folder / "app.ts");
  ASSERT_TRUE(file);
  EXPECT_EQ(readConfiguration(*file).db, folder / "a.db");
}

TEST(Configuration, LetsTheCommandLineWin) {
  Configuration options;
  options.port = 1;
  options.push = false;
  setLimit(options, "runTimeMax", "3s");
  setLimit(options, "resultBytesMax", "5mb");
  setLimit(options, "resultRowsMax", "7");
  const Configuration both = merge(
      parse(
          R"({"port": 2, "push": true, "threads": 3, "limits": {"runTimeMax": "1s", "fuelMax": 9}})"),
      options);
  EXPECT_EQ(both.port, 1);
  EXPECT_EQ(both.push, false);
  EXPECT_EQ(both.threads, 3u);
  const Limits limits = limitsOf(both);
  EXPECT_EQ(limits.runTimeMax, 3s);
  EXPECT_EQ(limits.fuelMax, 9u);
  EXPECT_EQ(limits.resultBytesMax, 5u << 20);
  EXPECT_EQ(limits.resultRowsMax, 7u);
  EXPECT_EQ(limits.heapBytesMax, Limits{}.heapBytesMax);
  expectError(ErrorCode::InvalidRequest,
              "unknown name \"runtimeMax\"; did you mean \"runTimeMax\"?",
              [&options] { setLimit(options, "runtimeMax", "3s"); });
}

TEST(Configuration, LetsADatabaseReplaceTenants) {
  Configuration database, tenants;
  database.db = "a.db";
  tenants.tenants = "t";
  tenants.tenantFrom = TenantSource{};
  const Configuration one = merge(tenants, database);
  EXPECT_FALSE(one.tenants || one.tenantFrom);
  EXPECT_NO_THROW(checkTogether(one));
  const Configuration many = merge(database, tenants);
  EXPECT_FALSE(many.db);
  EXPECT_NO_THROW(checkTogether(many));
}

TEST(Configuration, RefusesWhatDoesNotGoTogether) {
  const auto message = [](std::string_view text) {
    return errorOf([text] { checkTogether(parse(text)); }).message();
  };
  EXPECT_EQ(message(R"({"db": "a", "tenants": "b", "tenantFrom": "host"})"),
            "db (--db) is one database for all and tenants (--tenants) a folder of them; name one");
  EXPECT_EQ(message(R"({"tenantFrom": "host"})"),
            "tenantFrom (--tenant-from) needs tenants (--tenants), the folder of their databases");
  EXPECT_EQ(message(R"({"tenants": "t"})"),
            "tenants (--tenants) needs tenantFrom (--tenant-from), which says whose a request is: "
            "host, path, header or header:NAME");
  EXPECT_EQ(message(R"({"port": 80, "adminPort": 80})"),
            "port (--port) and adminPort (--admin-port) are both 80");
  EXPECT_EQ(message(R"({"adminPort": 8787})"),
            "port (--port) and adminPort (--admin-port) are both 8787");
  EXPECT_EQ(message(R"({"push": true, "readOnly": true})"),
            "push (--push) changes the schema, which a server with readOnly (--read-only) may not");
  EXPECT_NO_THROW(checkTogether(parse(R"({"push": true, "readOnly": false})")));
  EXPECT_NO_THROW(checkTogether(parse(R"({"port": 0, "adminPort": 0})")));
  EXPECT_EQ(message(R"({"limits": {"memoryBytesMax": "15mb"}})"),
            "limits.memoryBytesMax is 15mb; it must be at least 16mb and at most 4gb");
  EXPECT_EQ(message(R"({"limits": {"memoryBytesMax": "32mb", "heapBytesMax": "29mb"}})"),
            "limits.heapBytesMax is 29mb; with a memory of 32mb it may be 28mb");
  EXPECT_NO_THROW(
      checkTogether(parse(R"({"limits": {"memoryBytesMax": "32mb", "heapBytesMax": "28mb"}})")));
}

TEST(Configuration, GivesTheHeapItsPartOfTheMemory) {
  const Limits limits = limitsOf(parse(R"({"limits": {"memoryBytesMax": "32mb"}})"));
  EXPECT_EQ(limits.memoryBytesMax, 32u << 20);
  EXPECT_EQ(limits.heapBytesMax, 28u << 20);
}

TEST(Configuration, BoundsWhatCannotBeMore) {
  for (const char* const text :
       {R"("nestedTriggersMax": 1501)", R"("schemaTriggersMax": 1001)", R"("schemaViewsMax": 501)",
        R"("columnsMax": 2001)", R"("parametersMax": 32767)", R"("likePatternBytesMax": 50001)",
        R"("stackBytesMax": "769kb")", R"("stackBytesMax": "63kb")", R"("headBytesMax": "2mb")"}) {
    EXPECT_THROW(parse(str(R"({"limits": {)", text, "}}")), Error) << text;
  }
  expectRefused(R"({"limits": {"nestedTriggersMax": 1501}})",
                "limits: nestedTriggersMax: it must be a whole number from 1 to 1500");
  expectRefused(R"({"limits": {"stackBytesMax": "63kb"}})",
                "limits: stackBytesMax: it must be at least 65536");
  EXPECT_EQ(limitsOf(parse(R"({"limits": {"nestedTriggersMax": 1500}})")).nestedTriggersMax,
            1'500u);
}

TEST(Configuration, HasTheLimitsOfTheServer) {
  const ServerLimits limits = serverLimitsOf(parse(R"({"threads": 6, "limits": {
    "bodyBytesMax": "5mb", "httpConnectionsMax": 7, "idleTimeMax": "3s", "queueMax": 9, "openMax": 8,
    "isolateBytesMax": 10, "queueTimeMax": "4s", "openTenantsMax": 11, "tenantIdleTimeMax": "12s",
    "connectionsMax": 13}})"));
  EXPECT_EQ(limits.http.bodyBytesMax, 5u << 20);
  EXPECT_EQ(limits.http.connectionsMax, 7u);
  EXPECT_EQ(limits.http.idleTimeMax, 3s);
  EXPECT_EQ(limits.workers.threads, 6u);
  EXPECT_EQ(limits.workers.queueMax, 9u);
  EXPECT_EQ(limits.workers.openMax, 8u);
  EXPECT_EQ(limits.workers.isolateBytesMax, 10u);
  EXPECT_EQ(limits.queueTimeMax, 4s);
  EXPECT_EQ(limits.openTenantsMax, 11u);
  EXPECT_EQ(limits.tenantIdleTimeMax, 12s);
  EXPECT_EQ(limits.call.connectionsMax, 13u);
  // Without tenants there is nobody to share with.
  EXPECT_EQ(limits.workers.runningPerKeyMax, 0u);
  EXPECT_EQ(limits.workers.waitingPerKeyMax, 0u);
}

TEST(Configuration, LeavesSomethingForOtherTenants) {
  const auto of = [](std::string_view more) {
    return serverLimitsOf(parse(str(R"({"tenants": "t", "tenantFrom": "header", )", more, "}")))
        .workers;
  };
  const WorkersOptions usual = of(R"("threads": 8)");
  EXPECT_EQ(usual.runningPerKeyMax, 4u);
  EXPECT_EQ(usual.openPerKeyMax, usual.openMax / 4);
  EXPECT_EQ(usual.waitingPerKeyMax, usual.queueMax / 4);
  // Of the least there is, nobody gets nothing: 0 would mean all.
  const WorkersOptions least = of(R"("threads": 1, "limits": {"queueMax": 3, "openMax": 2})");
  EXPECT_EQ(least.runningPerKeyMax, 1u);
  EXPECT_EQ(least.openPerKeyMax, 1u);
  EXPECT_EQ(least.waitingPerKeyMax, 1u);
  const WorkersOptions own = of(
      R"("threads": 8, "limits": {"tenantRunningMax": 3, "tenantOpenMax": 2, "tenantQueueMax": 5})");
  EXPECT_EQ(own.runningPerKeyMax, 3u);
  EXPECT_EQ(own.openPerKeyMax, 2u);
  EXPECT_EQ(own.waitingPerKeyMax, 5u);
}

TEST(Configuration, TakesAHeaderWithoutItsName) {
  EXPECT_EQ(parseTenantSource("header"), (TenantSource{TenantSource::Kind::Header, "x-tenant"}));
}

TEST(Configuration, SaysWhatHoldsAndFromWhere) {
  Configuration options;
  options.port = 1;
  setLimit(options, "runTimeMax", "3s");
  const std::string all = describeConfiguration(
      options, parse(R"({"port": 2, "readOnly": true, "limits": {"queueMax": 5}})"), "my.json");
  const auto line = [&all](std::string_view name) {
    const std::string lines = "\n" + all;
    const std::size_t at = lines.find(str("\n", name, " "));
    if (at == std::string::npos) return std::string();
    std::string words;
    for (const char letter : lines.substr(at + 1, lines.find('\n', at + 1) - at - 1)) {
      if (letter != ' ' || !words.ends_with(' ')) words += letter;
    }
    return words;
  };
  EXPECT_EQ(line("port"), "port 1 option");
  EXPECT_EQ(line("readOnly"), "readOnly true my.json");
  EXPECT_EQ(line("grace"), "grace 30s default");
  EXPECT_EQ(line("limits.runTimeMax"), "limits.runTimeMax 3s option");
  EXPECT_EQ(line("limits.queueMax"), "limits.queueMax 5 my.json");
  EXPECT_EQ(line("limits.memoryBytesMax"), "limits.memoryBytesMax 64mb default");
  EXPECT_EQ(line("db"), "");
  EXPECT_EQ(line("limits.tenantQueueMax"), "");
}

// What an editor offers and what the server takes must be the same.
class ConfigurationSchema : public testing::Test {
 protected:
  const json::object& propertiesOf(const char* at) const {
    return schema_.at_pointer(at).as_object();
  }

  static std::vector<std::string> sorted(const json::object& object) {
    std::vector<std::string> names;
    for (const auto& [name, value] : object) names.emplace_back(name);
    std::ranges::sort(names);
    return names;
  }
  static std::vector<std::string> sorted(std::span<const std::string_view> all) {
    std::vector<std::string> names(all.begin(), all.end());
    std::ranges::sort(names);
    return names;
  }

  // Every example is taken; an array of arrays is taken nowhere.
  static void check(const json::object& properties, std::string_view before,
                    std::string_view after) {
    for (const auto& [name, about] : properties) {
      const auto with = [&, &name = name](const json::value& value) {
        return str(before, json::serialize(json::object{{name, value}}), after);
      };
      ASSERT_TRUE(about.as_object().contains("examples")) << name;
      for (const json::value& example : about.at("examples").as_array()) {
        EXPECT_NO_THROW(parse(with(example))) << with(example);
      }
      if (const json::value* const values = about.as_object().if_contains("enum")) {
        for (const json::value& value : values->as_array()) {
          EXPECT_NO_THROW(parse(with(value))) << with(value);
        }
      }
      EXPECT_THROW(parse(with(json::array{json::array()})), Error) << name;
    }
  }

  const json::value schema_ = json::parse(readFile(SCHEMASCRIPT_CONFIGURATION_SCHEMA));
};

TEST_F(ConfigurationSchema, HasTheNamesThatTheParserTakes) {
  EXPECT_EQ(sorted(propertiesOf("/properties")), sorted(settingNames()));
  EXPECT_EQ(sorted(propertiesOf("/properties/limits/properties")), sorted(limitNames()));
  for (const char* const closed : {"", "/properties/limits", "/properties/schedules/items"}) {
    EXPECT_EQ(schema_.at_pointer(str(closed, "/additionalProperties")), false) << closed;
  }
}

TEST_F(ConfigurationSchema, HasExamplesThatTheParserTakes) {
  check(propertiesOf("/properties"), "", "");
  check(propertiesOf("/properties/limits/properties"), R"({"limits": )", "}");
  const json::object& schedule = propertiesOf("/properties/schedules/items/properties");
  EXPECT_EQ(sorted(schedule), (std::vector<std::string>{"cron", "missed"}));
}

TEST_F(ConfigurationSchema, HasTheDefaultsOfTheLimits) {
  for (const auto& [name, about] : propertiesOf("/properties/limits/properties")) {
    if (!about.as_object().contains("default")) {
      EXPECT_EQ(defaultOfLimit(name), "") << name;
      continue;
    }
    const json::value& value = about.at("default");
    const std::string text =
        value.is_string() ? std::string(value.get_string()) : json::serialize(value);
    EXPECT_EQ(text, defaultOfLimit(name)) << name;
    Configuration configuration;
    EXPECT_NO_THROW(setLimit(configuration, name, text)) << name;
  }
}

}  // namespace
}  // namespace schemascript
