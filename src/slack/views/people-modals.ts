import type { ModalView } from '@slack/types';
import { choice, plain, textArea, toOption } from './form-parts.ts';

const LONGEST = 1500;
const NEXT_MINUTES = [15, 30, 60, 120, 240];

/** What we know, what we do, and when people hear again. */
export function updateModal(about: { channelId: string }): ModalView {
  const options = NEXT_MINUTES.map((minutes) =>
    toOption([String(minutes), minutes < 60 ? `In ${minutes} minutes` : hours(minutes / 60)]),
  );
  return {
    type: 'modal',
    callback_id: 'update',
    private_metadata: JSON.stringify(about),
    title: plain('Update'),
    submit: plain('Tell everybody'),
    close: plain('Cancel'),
    blocks: [
      textArea('known', { label: 'What do we know?', max: LONGEST, hint: 'Answers are wrong since 14:05 …' }),
      textArea('doing', { label: 'What do we do?', max: LONGEST, optional: true }),
      choice('next', {
        label: 'When do they hear again?',
        options,
        optional: true,
        hint: 'Empty: as the severity asks for.',
      }),
    ],
  };
}

const hours = (n: number) => (n === 1 ? 'In an hour' : `In ${n} hours`);

/** Asks why, after it has counted: closing it loses nothing. */
export function falseAlarmModal(about: { incidentId: number; channelId: string }): ModalView {
  return {
    type: 'modal',
    callback_id: 'false_alarm',
    private_metadata: JSON.stringify(about),
    title: plain('Why was it none?'),
    submit: plain('Keep the reason'),
    close: plain('Not now'),
    blocks: [textArea('reason', { label: `Why was INC-${about.incidentId} a false alarm?`, max: 500 })],
  };
}
