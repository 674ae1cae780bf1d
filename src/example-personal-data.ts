// Keys are put together here, so that no scanner takes this file for a leak.
const key = (...parts: string[]) => parts.join('');
const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** Texts with personal data or a credential in them, and what is left of them. Made up, or published as examples. */
export const personalData: readonly (readonly [name: string, text: string, redacted: string])[] = [
  ['e-mail', 'write to jane.doe@example.com.', 'write to [email].'],
  ['tagged e-mail', 'jane+billing@mail.example.co.uk', '[email]'],
  ['disguised e-mail', 'jane [at] example [dot] com', '[email]'],
  ['US phone', 'call (415) 555-2671 now', 'call [phone] now'],
  ['international phone', '+44 20 7946 0958', '[phone]'],
  ['national phone', '020 7946 0958', '[phone]'],
  ['named phone', 'phone: 4155552671', 'phone: [phone]'],
  ['card', 'paid with 4111 1111 1111 1111 today', 'paid with [card] today'],
  ['American card', '378282246310005', '[card]'],
  ['IBAN', 'to DE89 3704 0044 0532 0130 00 please', 'to [iban] please'],
  ['US social security number', 'it is 123-45-6789', 'it is [id]'],
  ['passport', 'passport number: X1234567', 'passport number: [id]'],
  ['driving licence', "driver's license D123-4567-8901", "driver's license [id]"],
  ['national insurance number', 'AB 12 34 56 C', '[id]'],
  ['date of birth', 'DOB: 12/03/1984', 'DOB: [id]'],
  ['network address', 'client ip 203.0.113.7', 'client ip [id]'],
  ['bank account', 'account number 12345678', 'account number [id]'],
  ['OpenAI key', key('sk', '-proj-', letters), '[key]'],
  ['Anthropic key', key('sk', '-ant-api03-', letters), '[key]'],
  ['Slack tokens', key('xox', 'b-123456789012-', letters, ' xapp', '-1-A01-', letters), '[key] [key]'],
  ['AWS key', key('AKIA', 'IOSFODNN7EXAMPLE'), '[key]'],
  ['GitHub tokens', key('ghp', '_', letters, ' github', '_pat_', letters), '[key] [key]'],
  ['Google and GitLab keys', key('AIza', 'Sy', letters, ' glpat', '-', letters), '[key] [key]'],
  ['JSON web token', key('eyJhbGciOiJIUzI1NiJ9', '.eyJzdWIiOiIxMjM0In0', '.abc_DEF-123'), '[key]'],
  ['bearer token', 'Authorization: Bearer 0123456789abcdef', 'Authorization: Bearer [key]'],
  ['private key', key('-----BEGIN ', 'PRIVATE KEY-----\nMIIE\n-----END ', 'PRIVATE KEY-----'), '[key]'],
  ['password in a connection string', 'postgres://app:hunter2@db:5432/x', 'postgres://[key]@db:5432/x'],
  [
    'assigned password',
    'password=letmein and "api_key": "abcd1234"',
    'password=[key] and "api_key": "[key]"',
  ],
];
