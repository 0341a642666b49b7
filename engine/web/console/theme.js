// Before the first paint, so that nothing flashes: the theme that was chosen, where one was.
const chosenTheme = localStorage.getItem("theme");
if (chosenTheme === "light" || chosenTheme === "dark") document.documentElement.dataset.theme = chosenTheme;
