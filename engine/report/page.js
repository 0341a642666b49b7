"use strict";
// Without this script the page shows everything; it adds order, filters and a closer look.
(() => {
  const main = document.querySelector("main");
  const tools = document.querySelector(".tools");
  const articles = [...main.querySelectorAll("article")];
  const found = articles.map((node, place) => ({ node, place, ...node.dataset }));
  const isClock = found.some((one) => +one.t > 1e8);

  const zone = +main.dataset.zone * 60;
  const shown = (seconds) => {
    const at = new Date(Math.max(0, isClock ? +seconds + zone : seconds) * 1000).toISOString();
    return isClock ? at.slice(0, 19).replace("T", " ") : at.slice(11, 19);
  };
  const seconds = (text) => {
    if (isClock) return Date.parse(`${text.trim().replace(" ", "T")}Z`) / 1000 - zone;
    return text.trim().split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  };

  /** What a field says in seconds; NaN where it is empty, or says nothing that is a time: then it is marked. */
  function time(field) {
    const value = field.value.trim() ? seconds(field.value) : NaN;
    field.setCustomValidity(field.value.trim() && Number.isNaN(value) ? `Write a time as ${field.placeholder}` : "");
    return value;
  }

  function filter() {
    const wanted = Object.fromEntries(new FormData(tools));
    const words = wanted.words.trim().toLowerCase();
    const from = time(tools.elements.from);
    const to = time(tools.elements.to);
    const decision = document.querySelector(".filters [type=radio]:checked").id.replace("show-", "");
    let count = 0;
    for (const one of found) {
      const says = words && !one.node.querySelector(".where, b, h3").textContent.toLowerCase().includes(words)
        && !`${one.n} ${one.s} track ${one.k}`.toLowerCase().includes(words);
      one.node.hidden = Boolean(says || (wanted.stream && one.s !== wanted.stream) || +one.z < +wanted.size
        || +one.q < +wanted.quality || +one.t < from || +one.t > to);
      one.shown = !one.node.hidden && (decision === "all" || one.node.classList.contains(decision));
      count += one.shown;
    }
    const shownNodes = new Set(found.filter((one) => one.shown).map((one) => one.node));
    let title = null; // a section without a track has no title either
    for (const node of home) {
      if (node.matches("h2")) (title = node).hidden = true;
      else if (title && shownNodes.has(node)) title.hidden = false;
    }
    const wrong = [tools.elements.from, tools.elements.to].find((field) => !field.validity.valid);
    const said = count ? `${count.toLocaleString("en")} of ${found.length.toLocaleString("en")} shown` : "No track fits.";
    tools.querySelector("output").textContent = wrong ? `${wrong.validationMessage}.` : count < found.length ? said : "";
  }

  function order() {
    const key = tools.elements.order.value;
    const by = key.replace("-", "");
    const text = by === "n" || by === "s";
    const sign = key.startsWith("-") ? -1 : 1;
    const compare = (a, b) => {
      if (!key) return a.place - b.place;
      if (text) return (!a[by] - !b[by]) || a[by].localeCompare(b[by]) || a.place - b.place;
      return sign * (a[by] - b[by]) || a.place - b.place;
    };
    main.classList.toggle("ordered", Boolean(key));
    if (key) main.append(...[...found].sort(compare).map((one) => one.node));
    else main.append(...home);
  }

  const home = [...main.children];
  const streams = [...new Set(found.map((one) => one.s))].sort();
  tools.elements.stream.append(...streams.map((name) => new Option(name, name)));
  tools.elements.stream.parentElement.hidden = streams.length < 2;
  if (found.length) {
    const times = found.map((one) => +one.t);
    const least = times.reduce((a, b) => Math.min(a, b));
    const most = times.reduce((a, b) => Math.max(a, b));
    tools.elements.from.placeholder = shown(least);
    tools.elements.to.placeholder = shown(most);
    tools.hidden = found.length < 2;
    tools.querySelector(".timezone").hidden = !isClock;
  }
  document.querySelector(".filters").addEventListener("change", filter);
  tools.addEventListener("input", (event) => { if (event.target.name !== "order") filter(); });
  tools.elements.order.addEventListener("change", order);
  tools.addEventListener("submit", (event) => event.preventDefault());

  // A closer look: a picture at full size; an enhanced one over the original that it was made of.
  const view = document.getElementById("view");
  const stage = view.querySelector(".stage");
  const bench = view.querySelector(".bench");
  const slider = bench.querySelector("input[type=range]");

  function size(width, height) {
    const scale = Math.min((innerWidth * 0.92 - 30) / width, (innerHeight * 0.92 - 150) / height, 1060 / width);
    stage.style.width = `${Math.round(width * scale)}px`;
    stage.style.height = `${Math.round(height * scale)}px`;
  }
  function picture(shown, kind) {
    const made = new Image();
    Object.assign(made, { src: shown.src, alt: shown.alt });
    made.className = kind;
    return made;
  }
  function cut(share) {
    const top = stage.querySelector(".top");
    if (!top) return;
    top.style.clipPath = `inset(0 ${100 - share}% 0 0)`;
    stage.querySelector(".edge").style.left = `${share}%`;
  }
  function open(link) {
    const figure = link.closest("figure") || link;
    const shownNow = link.querySelector("img");
    const made = Boolean(link.closest(".enhanced"));
    const original = made && !link.closest(".small, .row") ? link.closest(".card")?.querySelector(".pixels img") : null;
    const [width, height] = [shownNow.naturalWidth || 4, shownNow.naturalHeight || 5];
    size(width, height);
    stage.replaceChildren(picture(shownNow, figure.classList.contains("pixels") ? "raw" : ""));
    const box = link.querySelector(".box");
    if (box) stage.append(box.cloneNode());
    if (original) {
      const edge = document.createElement("i");
      edge.className = "edge";
      stage.append(picture(original, bench.querySelector(".raw").checked ? "top raw" : "top"), edge);
      cut(slider.value);
    }
    bench.hidden = !original;
    view.querySelector(".mark").hidden = !made;
    view.querySelector(".said").textContent = `${figure.querySelector("figcaption")?.textContent || shownNow.title} · ${width} x ${height} px`;
    view.showModal();
  }
  function play(link) {
    const video = document.createElement("video");
    Object.assign(video, { controls: true, muted: true, preload: "auto" });
    size(16, 9);
    stage.style.height = "auto";
    video.src = link.href;
    video.addEventListener("loadedmetadata", () => { video.currentTime = +link.dataset.at; }, { once: true });
    const said = view.querySelector(".said");
    said.textContent = `${link.closest("article").querySelector(".where").textContent} ${link.title}`;
    video.addEventListener("error", () => {
      said.textContent = `This browser cannot play the recording: ${link.parentElement.querySelector("code").textContent}`;
    });
    stage.replaceChildren(video);
    bench.hidden = view.querySelector(".mark").hidden = true;
    view.showModal();
  }
  slider.addEventListener("input", () => cut(slider.value));
  bench.querySelector(".raw").addEventListener("change", (event) => stage.querySelector(".top")?.classList.toggle("raw", event.target.checked));
  const hold = bench.querySelector(".hold");
  for (const [name, share] of [["pointerdown", 100], ["pointerup", 0], ["pointerleave", null]]) {
    hold.addEventListener(name, () => { if (share !== null) cut(share); else if (stage.querySelector(".top")) cut(slider.value); });
  }
  hold.addEventListener("keydown", (event) => { if (event.key === " ") cut(100); });
  hold.addEventListener("keyup", (event) => { if (event.key === " ") cut(0); });
  const drag = (event) => {
    if (!stage.querySelector(".top") || !event.buttons) return;
    const { left, width } = stage.getBoundingClientRect();
    slider.value = (100 * (event.clientX - left)) / width;
    cut(slider.value);
  };
  stage.addEventListener("pointerdown", drag);
  stage.addEventListener("pointermove", drag);
  view.addEventListener("close", () => stage.replaceChildren());
  view.addEventListener("click", (event) => { if (event.target === view) view.close(); });

  document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = event.target.closest(".pic, .play");
    if (link) {
      event.preventDefault();
      if (link.matches(".play")) play(link);
      else open(link);
      return;
    }
    const code = main.contains(event.target) && event.target.closest("code.copy");
    if (code) copy(code);
    const way = event.target.closest("a[href^='#']");
    const goal = way && document.getElementById(way.hash.slice(1));
    if (goal) goTo(goal);
  });
  /** Not every browser opens a section that it is sent into; and cards on the way there grow when they are first drawn. */
  function goTo(goal) {
    const section = goal.closest("details");
    if (section) section.open = true;
    const come = (frames) => requestAnimationFrame(() => {
      goal.scrollIntoView();
      if (frames) come(frames - 1);
    });
    come(9);
  }
  function copy(code) {
    const range = document.createRange();
    range.selectNodeContents(code);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    if (document.execCommand("copy")) {
      code.classList.add("done");
      setTimeout(() => code.classList.remove("done"), 1500);
    }
  }
  for (const code of main.querySelectorAll("code.copy")) {
    code.classList.add("able");
    Object.assign(code, { title: "click to copy", tabIndex: 0, role: "button" });
    code.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      copy(code);
    });
  }
})();
