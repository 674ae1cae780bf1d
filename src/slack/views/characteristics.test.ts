import { expect, test } from 'vitest';
import type { CharacteristicsView } from '../../flow/decide/characteristics-view.ts';
import { characteriseModal, readCharacterise } from './characteristics.ts';
import { render } from './render.ts';

const view = (answer: string | null): CharacteristicsView => ({
  incidentId: 12,
  questions: ['started', 'affected', 'failure', 'reproducible', 'changed'].map((question) => ({
    ...{ question, asked: 'What?', answer, by: question === 'affected' ? 'U1' : null, evidence: answer },
  })),
  mayReproduce: true,
});
const about = { incidentId: 12, channelId: 'C1' };

test('long-and-hostile-answers-neither-ping-nor-break-the-message', () => {
  const { blocks, text } = render({
    kind: 'characteristics',
    characteristics: view('<!channel> @here & '.repeat(300)),
  });
  expect(JSON.stringify(blocks)).not.toContain('<!channel>');
  expect(blocks.length).toBeLessThan(50);
  expect(text).toBe('Incident 12, five questions: 5 of 5 answered');
  const lengths = blocks.map((block) => (block.type === 'section' ? (block.text?.text.length ?? 0) : 0));
  expect(Math.max(...lengths)).toBeLessThanOrEqual(3_000);
});

test('an-answer-that-nobody-touched-is-nobodys', () => {
  const modal = characteriseModal(about, view('10 % of requests'));
  expect(JSON.stringify(modal.private_metadata).length).toBeLessThan(3_000);
  const sent = (affected: string) => ({
    private_metadata: modal.private_metadata ?? '',
    state: {
      values: {
        started: { value: { value: '10 % of requests' } },
        affected: { value: { value: affected } },
        failure: { value: { value: null } },
      },
    },
  });
  expect(readCharacterise(sent('all of them'))).toEqual({
    about,
    answers: [{ question: 'affected', text: 'all of them' }],
  });
  expect(readCharacterise(sent('10 % of requests'))?.answers).toEqual([]);
  expect(readCharacterise({ private_metadata: 'forged', state: { values: {} } })).toBeNull();
});
