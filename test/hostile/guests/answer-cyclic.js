// Attack: an answer that holds itself.
// Ends: call threw TypeError: circular
export const attack = () => {
  const answer = {};
  answer.answer = [answer];
  return answer;
};
