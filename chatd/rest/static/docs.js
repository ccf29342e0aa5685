// The page works without this script. It adds the search, copy buttons, and a highlight of the current
// section in the sidebar. It sends no requests.
"use strict";

const nav = document.getElementById("contents");
const search = document.getElementById("search");
const found = document.getElementById("found");
const groups = [...nav.querySelectorAll("details")];
const entries = [...nav.querySelectorAll("li")];
const texts = new Map(entries.map((each) => [each, each.dataset.words || each.textContent.toLowerCase()]));

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const each of entries) {
    const shown = words.every((word) => texts.get(each).includes(word));
    each.hidden = !shown;
    count += shown ? 1 : 0;
  }
  for (const group of groups) {
    const any = [...group.querySelectorAll("li")].some((each) => !each.hidden);
    group.hidden = !any;
    group.open = words.length ? any : group.contains(nav.querySelector("[aria-current]"));
  }
  for (const title of nav.querySelectorAll("h2")) {
    title.hidden = words.length > 0;
  }
  found.textContent = words.length ? `${count} found` : "";
}

function move(event, by) {
  const shown = [search, ...nav.querySelectorAll("summary, li > a")].filter(
    (each) => each.offsetParent !== null && !each.closest("[hidden]"),
  );
  const next = shown[shown.indexOf(document.activeElement) + by];
  if (next) {
    event.preventDefault();
    next.focus();
  }
}

search.parentElement.hidden = false;
search.addEventListener("input", filter);
document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    if (getComputedStyle(nav).display === "none") {
      location.hash = "contents";
    }
    search.focus();
  }
});
nav.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown") {
    move(event, 1);
  } else if (event.key === "ArrowUp") {
    move(event, -1);
  } else if (event.key === "Enter" && event.target === search) {
    const shown = [...nav.querySelectorAll("li:not([hidden]) > a")];
    const first = shown.find((each) => each.className === "operation") || shown[0];
    if (first) {
      first.click();
    }
  } else if (event.key === "Escape") {
    search.value = "";
    filter();
    search.focus();
    if (location.hash === "#contents") {
      location.hash = "top";
    }
  }
});

const links = [...nav.querySelectorAll("li > a")];
const parts = links.map((each) => document.getElementById(each.hash.slice(1)));

function mark() {
  let link = links[0];
  parts.forEach((part, index) => {
    if (part && part.getBoundingClientRect().top < 120) {
      link = links[index];
    }
  });
  if (search.value || link.hasAttribute("aria-current")) {
    return;
  }
  for (const each of nav.querySelectorAll("[aria-current]")) {
    each.removeAttribute("aria-current");
  }
  link.setAttribute("aria-current", "true");
  for (const each of groups) {
    each.open = each.contains(link);
  }
  const top = link.offsetTop - nav.offsetTop;
  if (top < nav.scrollTop + 40 || top > nav.scrollTop + nav.clientHeight - 80) {
    nav.scrollTop = top - nav.clientHeight / 2;
  }
}

let asked = false;
document.addEventListener("scroll", () => {
  if (!asked) {
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      mark();
    });
  }
});
mark();

for (const each of document.querySelectorAll("[data-base]")) {
  const base = location.origin + location.pathname.replace(/\/docs$/, "");
  each.textContent = each.textContent.replace(each.dataset.base, base);
}

if (navigator.clipboard) {
  for (const block of document.querySelectorAll(".code")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(block.querySelector("code").textContent);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
    block.append(button);
  }
}
