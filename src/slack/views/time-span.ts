const MINUTE_MS = 60_000;

/** Whole minutes as "14 min", "3 h 05 min" or "2 d 4 h"; a span that ends before it began is "0 min". */
export function timeSpan(from: Date, to: Date): string {
  const minutes = Math.max(0, Math.floor((to.getTime() - from.getTime()) / MINUTE_MS));
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** The time of day for a lock screen, where Slack's own date tokens may not be rendered. */
export function utcTime(date: Date): string {
  return `${date.toISOString().slice(11, 16)} UTC`;
}
