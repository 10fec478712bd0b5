// Attack: an error with NUL, escapes and halves of characters in all its texts.
// Ends: call threw
export const attack = () => {
  const text = '\0\x1b[2J\x1b]0;title\x07\r\n\ud800\u202e\u2028</script>"\\';
  const error = new Error(text, { cause: text });
  error.name = text;
  error.code = text;
  error.stack = text.repeat(1000);
  throw error;
};
