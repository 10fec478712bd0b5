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

// The class that throwError() throws, by the first of these that can catch it.
std::string classOf(ErrorCode code, const DatabaseErrorDetail& detail) {
  try {
    throwError(code, "a", detail);
  } catch (const UniqueViolation&) {
    return "UniqueViolation";
  } catch (const ForeignKeyViolation&) {
    return "ForeignKeyViolation";
  } catch (const NotNullViolation&) {
    return "NotNullViolation";
  } catch (const CheckViolation&) {
    return "CheckViolation";
  } catch (const ConstraintViolation&) {
    return "ConstraintViolation";
  } catch (const Busy&) {
    return "Busy";
  } catch (const NotAllowed&) {
    return "NotAllowed";
  } catch (const LimitExceeded&) {
    return "LimitExceeded";
  } catch (const Error&) {
    return "Error";
  }
}

TEST(Error, IsThrownAsTheClassThatItStandsFor) {
  using Code = ErrorCode;
  EXPECT_EQ(classOf(Code::Conflict, {.violation = "unique"}), "UniqueViolation");
  EXPECT_EQ(classOf(Code::Conflict, {.violation = "primary-key"}), "UniqueViolation");
  EXPECT_EQ(classOf(Code::Conflict, {.violation = "foreign-key"}), "ForeignKeyViolation");
  EXPECT_EQ(classOf(Code::Conflict, {.violation = "not-null"}), "NotNullViolation");
  EXPECT_EQ(classOf(Code::Conflict, {.violation = "check"}), "CheckViolation");
  EXPECT_EQ(classOf(Code::Conflict, {.violation = "type"}), "ConstraintViolation");
  EXPECT_EQ(classOf(Code::Conflict, {.sqliteCode = "SQLITE_CONSTRAINT_TRIGGER"}),
            "ConstraintViolation");
  EXPECT_EQ(classOf(Code::Conflict, {.waitsFor = 1}), "Error");
  EXPECT_EQ(classOf(Code::Unavailable, {.sqliteCode = "SQLITE_BUSY_SNAPSHOT"}), "Busy");
  EXPECT_EQ(classOf(Code::Unavailable, {.sqliteCode = "SQLITE_FULL"}), "Error");
  EXPECT_EQ(classOf(Code::NotAllowed, {}), "NotAllowed");
  EXPECT_EQ(classOf(Code::LimitExceeded, {}), "LimitExceeded");
  EXPECT_EQ(classOf(Code::Internal, {.violation = "unique"}), "Error");
}

TEST(Error, KeepsItsClassWithAnotherText) {
  EXPECT_THROW(throw notAllowed("a"), NotAllowed);
  EXPECT_THROW(throw limitExceeded("a"), LimitExceeded);
  EXPECT_THROW(throwError(ErrorCode::NotAllowed, "a"), NotAllowed);
  EXPECT_THROW(throwError(ErrorCode::LimitExceeded, "a"), LimitExceeded);
  const DatabaseErrorDetail detail{.violation = "unique", .table = "users"};
  const Error copy = UniqueViolation("a", detail);
  try {
    throwError(copy.code(), "b", *copy.detail());
  } catch (const UniqueViolation& error) {
    EXPECT_EQ(error.code(), ErrorCode::Conflict);
    EXPECT_EQ(error.message(), "b");
    EXPECT_EQ(error.detail()->table, "users");
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
