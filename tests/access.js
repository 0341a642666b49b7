// Run in the page: what would keep somebody out. Returns sentences.
() => {
  const faults = [];
  const seen = (node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && node.getClientRects().length > 0;
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = (top, below) => top.slice(0, 3).map((value, index) => value * top[3] + below[index] * (1 - top[3]));
  const light = (colour) => {
    const [r, g, b] = colour.map((value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    const layers = [];
    for (let one = node; one; one = one.parentElement) layers.push(parse(getComputedStyle(one).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const modal = document.querySelector("dialog[open]") ?? document.body;
  const walker = document.createTreeWalker(modal, NodeFilter.SHOW_TEXT);
  const told = new Set();
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !seen(node) || node.closest(".unseen, .skip, :disabled, canvas, script, option")) continue;
    const style = getComputedStyle(node);
    const behind = ground(node);
    const [a, b] = [light(over(parse(style.color), behind)), light(behind)].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const ratio = (a + 0.05) / (b + 0.05);
    if (size < 11 && !told.has(node.className)) {
      told.add(node.className);
      faults.push(`letters of ${size} px: "${walker.currentNode.data.trim().slice(0, 30)}" (${node.className})`);
    }
    const key = `${node.className}/${style.color}`;
    if (ratio < needed && !told.has(key)) {
      told.add(key);
      faults.push(`contrast ${ratio.toFixed(2)} of "${walker.currentNode.data.trim().slice(0, 30)}" (${node.className})`);
    }
  }
  for (const node of modal.querySelectorAll("button, a[href], input:not([type=file]), select, textarea, summary")) {
    if (!seen(node) || node.closest("[aria-hidden=true], .skip")) continue;
    const name = node.getAttribute("aria-label") || node.textContent.trim() || node.querySelector("img[alt]")?.alt || [...(node.labels ?? [])].map((one) => one.textContent).join("").trim();
    if (!name) faults.push(`no name: ${node.outerHTML.slice(0, 90)}`);
    const { width, height } = node.getBoundingClientRect();
    const inText = node.matches("a") && getComputedStyle(node).display === "inline";
    const its = ["checkbox", "radio"].includes(node.type) ? node.closest("label").getBoundingClientRect() : { width, height };
    if (!inText && (its.width < 24 || its.height < 24)) faults.push(`small target ${Math.round(width)} x ${Math.round(height)}: ${node.outerHTML.slice(0, 60)}`);
  }
  for (const node of document.querySelectorAll("img:not([alt])")) faults.push(`no alt: ${node.src}`);
  for (const node of document.querySelectorAll("canvas:not([aria-label])")) faults.push(`a canvas without a label in ${node.parentElement.className}`);
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  for (const id of new Set(ids.filter((one, index) => ids.indexOf(one) !== index))) faults.push(`two things with the id ${id}`);
  for (const node of document.querySelectorAll("[aria-labelledby], [aria-describedby]")) {
    for (const id of `${node.getAttribute("aria-labelledby") ?? ""} ${node.getAttribute("aria-describedby") ?? ""}`.trim().split(/\s+/)) {
      if (!document.getElementById(id)) faults.push(`refers to ${id}, which is not there`);
    }
  }
  if (document.querySelectorAll("h1").length !== 1) faults.push(`${document.querySelectorAll("h1").length} main headings`);
  const levels = [...document.querySelectorAll("h1, h2, h3, h4")].filter(seen).map((node) => Number(node.tagName[1]));
  levels.forEach((level, index) => { if (index && level > levels[index - 1] + 1) faults.push(`a heading h${level} after h${levels[index - 1]}`); });
  if (!document.documentElement.lang || !document.title) faults.push("no language or title");
  for (const node of modal.querySelectorAll("*")) {
    const { overflowX, textOverflow } = getComputedStyle(node);
    const cut = node.scrollWidth - node.clientWidth;
    if (cut <= 1 || overflowX === "visible" || !seen(node) || node.matches(".unseen, thead, input, select, canvas") || node.closest("svg")) continue;
    if (textOverflow === "ellipsis" && node.title) continue; // is said in full to whoever points at it
    faults.push(`${cut} px are cut off: ${node.outerHTML.slice(0, 60)}`);
  }
  if (document.documentElement.scrollWidth > innerWidth) faults.push(`wider than the window by ${document.documentElement.scrollWidth - innerWidth} px`);
  return faults;
}
