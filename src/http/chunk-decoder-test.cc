#include "http/chunk-decoder.h"

#include <gtest/gtest.h>

namespace schemascript {
namespace {

using State = ChunkDecoder::State;

State decodeInPieces(std::string_view in, std::size_t piece, std::string& out,
                     std::size_t extraBytesMax = 64) {
  ChunkDecoder decoder(extraBytesMax);
  State state = State::More;
  while (!in.empty() && state == State::More) {
    std::string_view now = in.substr(0, piece);
    in.remove_prefix(now.size());
    while (!now.empty() && state == State::More) state = decoder.decode(now, out, out.size() + 3);
  }
  return state;
}

TEST(ChunkDecoder, DecodesInPiecesOfAnySize) {
  const std::string_view in =
      "5;a=\"b\"\r\nhello\r\n0a\r\n0123456789\r\n1\r\n!\r\n0;x\r\nTrailer: y\r\nB: z\r\n\r\n";
  for (std::size_t piece = 1; piece <= in.size(); ++piece) {
    std::string out;
    EXPECT_EQ(decodeInPieces(in, piece, out), State::Complete) << piece;
    EXPECT_EQ(out, "hello0123456789!") << piece;
  }
}

TEST(ChunkDecoder, LeavesWhatComesBehindTheBody) {
  ChunkDecoder decoder;
  std::string_view in = "1\r\na\r\n0\r\n\r\nGET /";
  std::string out;
  EXPECT_EQ(decoder.decode(in, out, 100), State::Complete);
  EXPECT_EQ(in, "GET /");
}

TEST(ChunkDecoder, RefusesWhatIsNotChunked) {
  for (const std::string_view in : {"\r\n",
                                    "g\r\n",
                                    "-1\r\n",
                                    "+1\r\n",
                                    " 1\r\n",
                                    "1 \r\n",
                                    "0x1\r\n",
                                    "1\n",
                                    "1\r\r",
                                    "1\r\nab",
                                    "1\r\na\n",
                                    "1\r\na\r\r",
                                    "1\r\na\r\n\r\n",
                                    "ffffffffffffffff\r\n",
                                    "0000000000000000\r\n",
                                    "0\r\n\rX",
                                    "0\r\nA: b\n",
                                    "1;\x01\r\n",
                                    "0\r\nA\rB",
                                    ";\r\n",
                                    "1\r\na1\r\n"}) {
    std::string out;
    EXPECT_EQ(decodeInPieces(in, 1, out), State::Malformed) << in;
    EXPECT_EQ(decodeInPieces(in, 100, out), State::Malformed) << in;
  }
}

TEST(ChunkDecoder, BoundsWhatItForgets) {
  std::string out;
  EXPECT_EQ(decodeInPieces("0;" + std::string(64, 'x') + "\r\n\r\n", 7, out), State::Complete);
  EXPECT_EQ(decodeInPieces("0;" + std::string(65, 'x') + "\r\n\r\n", 7, out), State::Malformed);
  EXPECT_EQ(decodeInPieces("0\r\nA:" + std::string(63, 'x') + "\r\n\r\n", 7, out),
            State::Malformed);
}

}  // namespace
}  // namespace schemascript
