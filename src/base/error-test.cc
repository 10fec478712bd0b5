#include "base/error.h"

#include <gtest/gtest.h>

#include "base/testing.h"

namespace schemascript {
namespace {

TEST(Error, HasOneFactoryForEachCode) {
  const std::pair<Error, std::string_view> all[] = {
      {invalidRequest("a"), "invalid-request"},
      {notAllowed("a"), "not-allowed"},
      {conflict("a"), "conflict"},
      {unavailable("a"), "unavailable"},
      {limitExceeded("a"), "limit-exceeded"},
      {guestFailed("a"), "guest-failed"},
      {internal("a"), "internal"},
  };
  for (const auto& [error, name] : all) {
    EXPECT_EQ(nameOf(error.code()), name);
    EXPECT_EQ(error.message(), "a");
    EXPECT_EQ(error.detail(), nullptr);
  }
}

TEST(Error, KeepsItsTextAndDetailWhenCopied) {
  std::exception_ptr kept;
  try {
    throw Error(ErrorCode::Conflict, "users.email must be unique",
                {.violation = "unique", .table = "users", .columns = {"email"}});
  } catch (...) {
    kept = std::current_exception();
  }
  try {
    std::rethrow_exception(kept);
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "users.email must be unique");
    ASSERT_NE(error.detail(), nullptr);
    EXPECT_EQ(error.detail()->columns, std::vector<std::string>{"email"});
  }
}

TEST(Error, OfAFailedCheckNamesConditionPlaceAndValues) {
  const int rows = 3;
  const Error error = errorOf([rows] { SS_CHECK(rows == 4, "rows: ", rows); });
  EXPECT_EQ(error.code(), ErrorCode::Internal);
  EXPECT_NE(error.message().find("rows == 4 does not hold"), std::string::npos);
  EXPECT_NE(error.message().find("error-test.cc:"), std::string::npos);
  EXPECT_NE(error.message().find("(rows: 3)"), std::string::npos);
}

TEST(Error, OfACheckThatHoldsIsNotThrown) { EXPECT_NO_THROW(SS_CHECK(1 + 1 == 2)); }

}  // namespace
}  // namespace schemascript
