#include "cli/error-report.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/testing.h"

namespace schemascript {
namespace {

using End = RunReport::End;

const Paint kPlain(Colours::Off);

// A bundle whose line N, column 1 is line N, column 5 of app.ts, for N from 1 to 3.
class ErrorReportTest : public testing::Test {
 protected:
  void SetUp() override { std::ofstream(file_) << "    first();\n    second();\n    third();\n"; }

  std::string place(int line) const { return str(displayPath(file_), ':', line, ":5"); }
  std::string render(const ErrorDescription& error) { return renderError(error, map_, kPlain); }
  std::string render(End end, const ErrorDescription& error, std::size_t rolledBack = 0) {
    return renderReport({end, error, {}, rolledBack, 0}, {}, map_, kPlain);
  }

  const TemporaryFolder folder_;
  const std::string file_ = folder_ / "app.ts";
  SourceMap map_{{{file_}, "AAAI;AACA;AACA"}};
};

TEST_F(ErrorReportTest, ShowsMessagePlaceAndFrames) {
  EXPECT_EQ(render({"TypeError",
                    "not a function",
                    "    at f (schemascript:app:2:1)\n    at <anonymous> (schemascript:app:3:1)\n",
                    "",
                    {},
                    {}}),
            str("Uncaught TypeError: not a function\n"
                "  2 |     second();\n"
                "    |     ^\n"
                "    at f (",
                place(2),
                ")\n"
                "    at <anonymous> (",
                place(3), ")\n"));
}

TEST_F(ErrorReportTest, LeavesOutOurFrames) {
  EXPECT_EQ(render({"Error",
                    "x",
                    "    at query (schemascript/internal:1:2)\n    at map (native)\n"
                    "    at all (drizzle-orm:3:4)\n    at sort (native)\n"
                    "    at g (schemascript:app:1:1)\n    at run (drizzle-orm:9:9)\n",
                    "",
                    {},
                    {}}),
            str("Uncaught Error: x\n"
                "  1 |     first();\n"
                "    |     ^\n"
                "    at sort (native)\n"
                "    at g (",
                place(1), ")\n"));
}

TEST_F(ErrorReportTest, KeepsOurFramesWhenThereAreNoOthers) {
  EXPECT_EQ(render({"Error", "x", "    at all (drizzle-orm:3:4)\n", "", {}, {}}),
            "Uncaught Error: x\n    at all (drizzle-orm:3:4)\n");
}

TEST_F(ErrorReportTest, CountsTheFramesOfADeepRecursion) {
  std::string stack;
  for (int i = 0; i < 500; ++i) stack += "    at f (schemascript:app:1:1)\n";
  const std::string text = render({"InternalError", "stack overflow", stack, "", {}, {}});
  EXPECT_TRUE(text.ends_with(")\n    ... and 480 more\n")) << text;
}

TEST_F(ErrorReportTest, ShowsTheCodeAndTheCause) {
  const ErrorDescription cause{
      "DatabaseError", "users.email must be unique", "", "conflict", {}, {}};
  EXPECT_EQ(render({"DrizzleQueryError", "Failed query", "", "", {cause}, {}}),
            "Uncaught DrizzleQueryError: Failed query\n"
            "caused by: DatabaseError [conflict]: users.email must be unique\n");
}

TEST_F(ErrorReportTest, ShowsThePlaceOfTheCauseWhenTheErrorHasNone) {
  const ErrorDescription cause{"Error", "inner", "    at schemascript:app:3:1\n", "", {}, {}};
  EXPECT_EQ(render({"Error", "outer", "", "", {cause}, {}}), str("Uncaught Error: outer\n"
                                                                 "  3 |     third();\n"
                                                                 "    |     ^\n"
                                                                 "caused by: Error: inner\n"
                                                                 "    at ",
                                                                 place(3), "\n"));
}

TEST_F(ErrorReportTest, ShowsTheErrorsOfAnAggregate) {
  const ErrorDescription one{"Error", "one\nand more", "", "", {}, {}};
  const ErrorDescription two{"", "Uncaught 2", "", "", {}, {}};
  EXPECT_EQ(render({"AggregateError", "all failed", "", "", {}, {one, two}}),
            "Uncaught AggregateError: all failed\n"
            "  [0] Error: one\n  and more\n"
            "  [1] 2\n");
}

TEST_F(ErrorReportTest, SaysUncaughtOnceForWhatIsNoError) {
  EXPECT_EQ(render({"", "Uncaught 42", "", "", {}, {}}), "Uncaught 42\n");
  EXPECT_EQ(render({"", "plain", "", "", {}, {}}), "Uncaught plain\n");
}

TEST_F(ErrorReportTest, MakesTheGuestsTextHarmless) {
  const std::string text = render(
      {"E\x1b[2Jrror", "a\rb\x07", "    at f\x1b] (schemascript:app:1:1)\n", "\x1b", {}, {}});
  EXPECT_EQ(text.find_first_of("\x1b\r\x07"), std::string::npos) << text;
}

TEST_F(ErrorReportTest, BelievesNoPositionThatTheGuestMadeUp) {
  EXPECT_EQ(render({"Error",
                    "x",
                    "    at f (schemascript:app:4294967295:4294967295)\n"
                    "    at g (schemascript:app:77777777777777:1)\n    at\nat \n    at (",
                    "",
                    {},
                    {}})
                .find("Uncaught Error: x\n"),
            0u);
}

TEST_F(ErrorReportTest, NamesTheLimitAndThePlace) {
  const ErrorDescription where{
      "InternalError", "interrupted", "    at loop (schemascript:app:2:1)\n", "", {}, {}};
  EXPECT_EQ(
      render(End::TimeExceeded, where)
          .find(str("schemascript: the time limit of 30s was exceeded (--time-limit) at loop (",
                    place(2), ")\n")),
      0u);
  EXPECT_EQ(
      render(End::FuelExceeded, where)
          .find(str("schemascript: the fuel limit of 10000000000 jumps and calls was exceeded "
                    "(--fuel-limit) at loop (",
                    place(2), ")\n")),
      0u);
  EXPECT_EQ(
      render(End::MemoryExceeded, where)
          .find(
              str("schemascript: the memory limit of 64mb was exceeded (--memory-limit) at loop (",
                  place(2), ")\n")),
      0u);
}

TEST_F(ErrorReportTest, NamesTheLimitWithoutAPlace) {
  EXPECT_EQ(render(End::TimeExceeded, {}),
            "schemascript: the time limit of 30s was exceeded (--time-limit)\n");
  EXPECT_EQ(render(End::TimeExceeded, {"", "it was waiting for a timer", "", "", {}, {}}),
            "schemascript: the time limit of 30s was exceeded (--time-limit): it was waiting for a "
            "timer\n");
}

TEST_F(ErrorReportTest, CountsWhatWasRolledBack) {
  EXPECT_EQ(render(End::Answered, {}), "");
  EXPECT_EQ(render(End::Answered, {}, 1),
            "schemascript: a transaction that the script left open was rolled back\n");
  EXPECT_EQ(render(End::Answered, {}, 2),
            "schemascript: 2 transactions that the script left open were rolled back\n");
}

TEST_F(ErrorReportTest, ExplainsTheOtherEnds) {
  EXPECT_NE(render(End::NeverSettles, {}).find("a promise that never settles"), std::string::npos);
  EXPECT_EQ(render(End::Trapped, {"", "out of bounds", "", "", {}, {}}),
            "schemascript: the sandbox stopped the script: out of bounds\n");
}

TEST_F(ErrorReportTest, NamesWhatTheCommandAccepts) {
  const auto report = [this](const ReportWords& words, End end, const ErrorDescription& error) {
    return renderReport({end, error, {}, 0, 0}, {}, map_, kPlain, words);
  };
  EXPECT_EQ(report(kServeWords, End::TimeExceeded, {}),
            "schemascript: the time limit of 30s was exceeded (--limit runTimeMax=)\n");
  EXPECT_NE(report(kServeWords, End::FuelExceeded, {}).find("(--limit fuelMax=)"),
            std::string::npos);
  EXPECT_NE(report(kDevWords, End::MemoryExceeded, {}).find("(--limit memoryBytesMax=)"),
            std::string::npos);
  const ErrorDescription missing{"E", "no such table: users", "", "invalid-request", {}, {}};
  EXPECT_NE(report(kServeWords, End::Threw, missing).find("--push"), std::string::npos);
  EXPECT_EQ(report(kDevWords, End::Threw, missing).find("--push"), std::string::npos);
}

TEST_F(ErrorReportTest, TakesAnErrorApart) {
  const ErrorDescription cause{"Error", "inner\x1b", "    at g (schemascript:app:3:1)\n",
                               "",      {},          {}};
  const ErrorDescription one{"Error", "one", "", "", {}, {}};
  const ErrorDescription error{"TypeError", "outer", "    at f (schemascript:app:2:1)\n",
                               "conflict",  {cause}, {one}};
  const Problem problem = problemOf({End::Threw, error, {}, 0, 0}, {}, map_);
  EXPECT_EQ(problem.headline, "TypeError [conflict]: outer");
  ASSERT_TRUE(problem.place);
  EXPECT_EQ(problem.place->file, displayPath(file_));
  EXPECT_EQ(problem.place->line, 2u);
  EXPECT_EQ(problem.place->firstLine, 1u);
  EXPECT_EQ(problem.place->lines,
            (std::vector<std::string>{"    first();", "    second();", "    third();"}));
  EXPECT_EQ(problem.place->caretBytes, 4u);
  EXPECT_EQ(problem.frames, std::vector<std::string>{str("at f (", place(2), ")")});
  ASSERT_EQ(problem.causes.size(), 1u);
  EXPECT_EQ(problem.causes[0].headline, "Error: inner\\x1b");
  EXPECT_EQ(problem.causes[0].place->line, 3u);
  ASSERT_EQ(problem.errors.size(), 1u);
  EXPECT_EQ(problem.errors[0].headline, "Error: one");
}

TEST(ExitCode, TellsTheEndsApart) {
  EXPECT_EQ(exitCodeOf(End::Answered), ExitCode::Success);
  EXPECT_EQ(exitCodeOf(End::Threw), ExitCode::Threw);
  EXPECT_EQ(exitCodeOf(End::TimeExceeded), ExitCode::Limit);
  EXPECT_EQ(exitCodeOf(End::MemoryExceeded), ExitCode::Limit);
  EXPECT_EQ(exitCodeOf(End::NeverSettles), ExitCode::NeverSettles);
  EXPECT_EQ(exitCodeOf(End::Trapped), ExitCode::Internal);
}

TEST(ExitCode, TellsWhoHasToAct) {
  EXPECT_EQ(exitCodeOf(ErrorCode::InvalidRequest), ExitCode::Usage);
  EXPECT_EQ(exitCodeOf(ErrorCode::Conflict), ExitCode::Threw);
  EXPECT_EQ(exitCodeOf(ErrorCode::Unavailable), ExitCode::Machine);
  EXPECT_EQ(exitCodeOf(ErrorCode::LimitExceeded), ExitCode::Limit);
  EXPECT_EQ(exitCodeOf(ErrorCode::Internal), ExitCode::Internal);
}

TEST_F(ErrorReportTest, AdvisesOnAMissingTable) {
  const auto report = [this](std::string message) {
    return render(End::Threw, {"DatabaseError", std::move(message), "", "invalid-request", {}, {}});
  };
  EXPECT_NE(report("no such table: users").find("created with --push"), std::string::npos);
  EXPECT_EQ(report("no such column: x").find("--push"), std::string::npos);
}

}  // namespace
}  // namespace schemascript
