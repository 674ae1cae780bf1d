import type { Db } from '../db/database.ts';
import { blockRate } from './check-count-store.ts';
import type { Answer, MetricSource, Question } from './metric-source.ts';

/**
 * Answers the measure `blocks` from the counts of the check before delivery. Times that are to be left out stay in: what
 * was blocked during an incident was blocked for a reason.
 */
export function checksSource(db: Db): MetricSource {
  const answer = async (question: Question): Promise<Answer> => {
    if (question.measure !== 'blocks') return { kind: 'unsupported' };
    const { n, blocked } = await blockRate(db, question);
    return { kind: 'reading', reading: { n, value: n === 0 ? null : blocked / n, sd: null } };
  };
  return { name: 'checks', read: (questions) => Promise.all(questions.map(answer)) };
}
