import { z } from 'zod';

const emoji = z
  .string()
  .regex(/^[a-z0-9_+'-]+$/, 'must be the name of an emoji without colons, such as bulb')
  .optional();

/** The reactions that put a message into the post-mortem as a lesson. */
export const lessonEmoji = z.strictObject({ good: emoji, bad: emoji, luck: emoji });

/** Days after an incident is closed until its room is archived; never without it. */
export const archiveAfterDays = z.number().int().min(1).max(3650).optional();

export const postmortemShapes = { 'lesson_emoji.': lessonEmoji.shape };
