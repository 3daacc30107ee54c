/* What the theme leaves open for keyboards and screen readers. */

document.querySelector(".md-search[role=dialog]")?.setAttribute("aria-label", "Search")

/* Branches of the table of contents are no landmarks; their names may repeat. */
document.querySelectorAll(".md-nav--secondary .md-nav").forEach(branch => {
  branch.removeAttribute("aria-label")
  branch.setAttribute("role", "none")
})

/* The buttons of each code block are a landmark, and an annotation is a link: name them. */
function nameCodeParts() {
  document.querySelectorAll(".md-code__nav").forEach((nav, index) => {
    nav.setAttribute("aria-label", `Code ${index + 1}`)
  })
  document.querySelectorAll(".md-annotation__index").forEach((link, index) => {
    link.setAttribute("aria-label", `Explanation ${index + 1}`)
  })
}

/* A box that scrolls must be reachable with the keyboard; one that does not is no stop. */
function reachScrollers() {
  for (const box of document.querySelectorAll(".formula, .md-typeset pre > code, .md-typeset__scrollwrap")) {
    if (box.scrollWidth > box.clientWidth + 1) box.setAttribute("tabindex", "0")
    else box.removeAttribute("tabindex")
  }
}

function mend() {
  nameCodeParts()
  reachScrollers()
}

mend()
addEventListener("load", mend)
addEventListener("resize", reachScrollers)
new MutationObserver(mend).observe(document.querySelector(".md-content") ?? document.body, { childList: true, subtree: true })
