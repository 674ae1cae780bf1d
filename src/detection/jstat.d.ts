/** The part of jstat that is used here; it ships no declarations. */
declare module 'jstat' {
  interface Distribution {
    cdf(x: number, ...parameters: number[]): number;
    inv(share: number, ...parameters: number[]): number;
  }
  const jstat: { chisquare: Distribution; beta: Distribution; binomial: Pick<Distribution, 'cdf'> };
  export default jstat;
}
