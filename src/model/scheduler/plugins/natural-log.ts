const known: number[] = [];

/**
 * ln(n) of a positive integer by additions, multiplications and divisions only, which IEEE 754 rounds alike everywhere;
 * Math.log may differ between engines. ln(n) = 2 artanh((m-1)/(m+1)) + k ln 2 with n = m 2^k, 1 <= m < 2.
 */
export function naturalLog(n: number): number {
  const cached = known[n];
  if (cached !== undefined) return cached;
  let mantissa = n;
  let power = 0;
  while (mantissa >= 2) {
    mantissa /= 2;
    power++;
  }
  const answer = 2 * artanh((mantissa - 1) / (mantissa + 1)) + power * 2 * artanh(1 / 3);
  if (n < 100_000) known[n] = answer;
  return answer;
}

function artanh(x: number): number {
  let sum = 0;
  let term = x;
  for (let k = 1; k < 60; k += 2) {
    sum += term / k;
    term *= x * x;
  }
  return sum;
}
