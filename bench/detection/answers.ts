/** The format is kept when the verdict stands in brackets; without one the answer is not right either. */
export function answerOf(line: string): { model: string; hasFormat: boolean; isRight: boolean } {
  const { model, prompt, output } = JSON.parse(line) as { model: string; prompt: string; output: string };
  const verdict = [...output.matchAll(/\[(yes|no)\]/gi)].at(-1)?.[1]?.toLowerCase();
  const isSaidPrime = verdict === undefined ? null : verdict === 'yes';
  return {
    model,
    hasFormat: isSaidPrime !== null,
    isRight: isSaidPrime === isPrime(Number(/\d+/.exec(prompt)?.[0])),
  };
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor += 1) if (n % divisor === 0) return false;
  return n > 1;
}
