import type { BlockContent, RootContent } from 'mdast';
import type { Names } from './mrkdwn.ts';
import { heading, linked, list, none, paragraph, person, words, written } from './prose.ts';
import type { Lesson, PostmortemRecord } from './record.ts';

const TITLES = {
  good: 'What went well',
  bad: 'What went badly',
  luck: 'Where we were lucky',
} as const;

/** What people said went well, badly or by luck, each with whoever said it. */
export function lessons({ lessons: all = [] }: PostmortemRecord, names: Names): RootContent[] {
  return (['good', 'bad', 'luck'] as const).flatMap((kind): RootContent[] => {
    const said = all.filter((lesson) => lesson.kind === kind);
    const title = heading(3, words`${TITLES[kind]}`);
    if (said.length === 0) return [title, none('Nothing was noted.')];
    return [title, list(said.map((lesson) => entry(lesson, names)))];
  });
}

function entry({ text, by, permalink }: Lesson, names: Names): BlockContent[] {
  const source = permalink === undefined ? [] : words`, ${linked('message', permalink)}`;
  const author = words` (${person(by, names)}${source})`;
  const [first, ...rest] = written(text, names);
  if (first?.type !== 'paragraph') return [paragraph(author), ...(first ? [first] : []), ...rest];
  return [paragraph([...first.children, ...author]), ...rest];
}
