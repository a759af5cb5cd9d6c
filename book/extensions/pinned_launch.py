"""Sphinx extension: launch buttons open a notebook at the commit that the book was built from, not at its branch.

What runs there is then what the page shows, however far the branch has gone since. ``launch_commit`` names the commit;
where it is empty, launch buttons lead to the branch, as the theme sets them.
"""

#: Behind the theme, which adds its buttons at the usual 500.
LATE = 900


def setup(app):
    app.add_config_value("launch_commit", "", "html")
    app.connect("html-page-context", pin, priority=LATE)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def pin(app, pagename, templatename, context, doctree):
    """Put the commit in the place of the branch in the addresses of launch buttons."""
    branch = app.config["html_theme_options"].get("repository_branch") or "master"
    for group in context.get("header_buttons", ()):
        if group.get("label") == "launch-buttons" and app.config.launch_commit:
            for button in group["buttons"]:
                button["url"] = button["url"].replace(f"/blob/{branch}/", f"/blob/{app.config.launch_commit}/", 1)
