// What all views need of the page.

export const element = (id) => document.getElementById(id);

export const percent = (share) => `${(100 * share).toFixed(2)} %`;

// A new element with `text`, and `parts` in it.
export function made(tag, { text, parts = [], ...properties } = {}) {
  const node = Object.assign(document.createElement(tag), properties);
  if (text !== undefined) node.textContent = text;
  node.append(...parts);
  return node;
}
