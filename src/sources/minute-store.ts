import type { Db } from '../db/database.ts';
import { type CallWindow, formatMinutes, type MinuteSum, scoreMinutes } from './call-statistics-store.ts';

/**
 * What a rule watches, by minute, oldest first, signed so that worse is lower. Null for rules whose start cannot be
 * told from minutes.
 */
export async function minutesOf(db: Db, of: CallWindow & { rule: string }): Promise<MinuteSum[] | null> {
  if (of.rule === 'quality.score') return scoreMinutes(db, of);
  if (of.rule === 'quality.format') return formatMinutes(db, of);
  return null;
}
