import { expect, test } from 'vitest';
import { rememberedNames } from './remembered-names.ts';

test('a name is asked for once in ten minutes, and again after a failure', async () => {
  const asked: string[] = [];
  let nowMs = 0;
  let isAway = true;
  const nameOf = rememberedNames(
    async (id) => {
      asked.push(id);
      if (isAway) throw new Error('away');
      return `name of ${id}`;
    },
    () => nowMs,
  );
  await expect(nameOf('U1')).rejects.toThrow('away');
  isAway = false;
  expect([await nameOf('U1'), await nameOf('U1'), await nameOf('U2')]).toHaveLength(3);
  expect(asked).toEqual(['U1', 'U1', 'U2']);
  nowMs = 10 * 60_000;
  expect(await nameOf('U1')).toBe('name of U1');
  expect(asked).toEqual(['U1', 'U1', 'U2', 'U1']);
});
