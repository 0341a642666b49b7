// How elements are made and kept up to date. Nothing here takes HTML as text, so nothing that a camera or a person is called can
// become markup.

/** Make an element. `props`: `on…` are listeners, `class`, `data-…`, `aria-…` attributes; null and false are left out. */
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...solid(children));
  return node;
}

/** Replace what is in a node. */
export function fill(node, ...children) {
  node.replaceChildren(...solid(children));
  return node;
}

/** Set a node's text, only where it is another: an unchanged one costs no layout and is not read aloud again. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A sentence of the service as a page shows it: with a capital and a full stop, and its `commands` as code. An address, or a name before
 *  a colon, begins as it is. */
export function said(text) {
  const whole = /[.!?…]$/.test(text) ? text : `${text}.`;
  return whole.replace(/^[a-z](?=[a-z]* )/, (letter) => letter.toUpperCase())
    .split("`").map((part, index) => (index % 2 ? h("code", null, part) : part));
}

/** Keep one child for each item, in the items' order: made once, brought up to date, removed with its item.
 *  `kept`: a Map that the caller holds, of key to node. */
export function keep(parent, kept, items, keyOf, make, update) {
  const wanted = new Set(items.map(keyOf));
  for (const [key, node] of kept) {
    if (wanted.has(key)) continue;
    node.remove();
    kept.delete(key);
  }
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let node = kept.get(key);
    if (!node) kept.set(key, (node = make(item)));
    update(node, item);
    // Moving a node takes the focus from it, so only those move that must.
    if (node !== place) parent.insertBefore(node, place);
    else place = place.nextElementSibling;
  }
}

export function badge(kind, text) {
  return h("span", { class: `badge ${kind}` }, text ?? kind);
}

/** A list of terms and values; those without a value are left out. */
export function facts(pairs) {
  return h("dl", null, pairs.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([name, value]) =>
    h("div", null, h("dt", null, name), h("dd", null, value))));
}

/** Large figures in a row: [value, what it is]. */
export const figures = (pairs) => pairs.map(([value, name]) => h("div", null, h("b", null, value), h("span", null, name)));

/** What one can choose in a select: [value, text]. */
export const options = (pairs) => pairs.map(([value, text]) => h("option", { value }, text));

export function table(caption, head, rows, empty = "Nothing yet.") {
  if (!rows.length) return h("p", { class: "empty" }, empty);
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption }, h("table", null,
    h("caption", { class: "unseen" }, caption),
    h("thead", null, h("tr", null, head.map((title) => h("th", { scope: "col" }, title)))),
    h("tbody", null, rows.map((row) => h("tr", null, row.map((cell, index) =>
      index ? h("td", null, cell) : h("th", { scope: "row" }, cell)))))));
}

function solid(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}
