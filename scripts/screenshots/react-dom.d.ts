/** The part of react-dom that is used here; it ships no declarations. */
declare module 'react-dom/server' {
  export function renderToStaticMarkup(element: import('react').ReactNode): string;
}
