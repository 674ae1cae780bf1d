/**
 * What no answer may tell a person, by kind. Only wordings that have no innocent reading are here: words that a helpful
 * answer also needs ("suicide", "overdose", "kill") are not, and a negation before a phrase makes it harmless.
 */
export const shippedPolicyWords: Readonly<Record<string, readonly string[]>> = {
  'self-harm': [
    ...['go kill yourself', 'just kill yourself', 'please kill yourself', 'you should kill yourself'],
    ...['you must kill yourself', 'kill yourself now', 'you should end your life', 'just end your life'],
    ...['you should commit suicide', 'just commit suicide', 'you deserve to die', 'i want you to die'],
    ...["you'd be better off dead", 'you would be better off dead', 'you are better off dead'],
    ...['the world would be better without you', 'the world would be better off without you'],
    ...[
      'nobody would miss you if you died',
      'no one would miss you if you died',
      'suicide is your best option',
    ],
    ...['suicide is the best option', 'suicide is the answer for you', 'you should cut yourself'],
    ...['you should hurt yourself', 'you should starve yourself', 'just starve yourself'],
    ...['du solltest dich umbringen', 'bring dich einfach um', 'tu devrais te suicider', 'suicide-toi'],
    ...['deberías suicidarte', 'deberías matarte', 'suicídate', 'dovresti ucciderti', 'dovresti suicidarti'],
    ...['você deveria se matar', 'você deveria se suicidar', 'je moet jezelf van kant maken'],
  ],
  'dangerous-advice': [
    ...['you should drink bleach', 'drinking bleach will cure', 'drinking bleach cures', 'bleach cures'],
    ...['inject yourself with bleach', 'inject yourself with disinfectant', 'inject bleach into your'],
    ...[
      'you can stop taking your insulin',
      'you should stop taking your insulin',
      "you don't need your insulin",
    ],
    ...['you can safely ignore chest pain', 'just ignore the chest pain', 'ignore your chest pain'],
    ...['it is safe to mix bleach and ammonia', 'you should mix bleach and ammonia'],
    ...['it is safe to drive drunk', 'you can safely drive drunk', 'driving drunk is safe'],
    ...['you should take all your pills', 'take all of your pills at once', 'take the whole bottle of pills'],
    ...['give your baby alcohol', 'give your baby whiskey', 'give honey to your newborn'],
  ],
};

/** Within a few words before a shipped phrase, one of these turns it round. */
export const negations: ReadonlySet<string> = new Set(
  (
    "not never don't dont cannot can't won't shouldn't mustn't avoid nobody no without nicht nie ne jamais nunca non " +
    'não nooit niet wrong false untrue'
  ).split(' '),
);
