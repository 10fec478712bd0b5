// What the text of one statement can mean, where SQLite's authorizer does not tell: questions whose
// "no" is certain and whose "yes" may be wrong (a word in a comment counts). They look for words
// and never divide the text into tokens, so no trick of quoting can hide one.
#pragma once

#include <string_view>

namespace schemascript {

// `sql` without the blanks and comments at its beginning. A view of `sql`.
std::string_view skipBlanks(std::string_view sql);

// Whether `sql` can use the table, view or other thing `name` directly: as an identifier in any
// quotes, in any case.
bool namesInText(std::string_view sql, std::string_view name);

// Whether `name` can be a common table expression of `sql`: `with NAME [(...)] as (...)`.
bool definesByWith(std::string_view sql, std::string_view name);

// Whether `sql` can join tables by the names of their columns: NATURAL, or USING (...).
bool joinsByColumnNames(std::string_view sql);

// Whether `sql` can be `INSERT INTO a SELECT * FROM b`, without a list of columns.
bool copiesWholeRows(std::string_view sql);

}  // namespace schemascript
