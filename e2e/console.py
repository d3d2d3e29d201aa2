"""Somebody's session at the console, over HTTP."""

import re

import requests


class Console:
    """Somebody's session at the console, over HTTP."""

    def __init__(self, office, login):
        self.office = office
        self.http = requests.Session()
        self.http.trust_env = False
        page = self.get("/login").text
        token = re.search(r'name="csrf" value="(\w+)"', page).group(1)
        answer = self.http.post(
            office.console + "/login",
            data={"csrf": token, "next": "", "login": login, "password": office.passwords[login]},
            allow_redirects=False,
            timeout=20,
        )
        assert answer.status_code == 303, answer.text
        if "/password" in self.get("/").url:
            self.change_password(login)

    def get(self, path, **options):
        return self.http.get(self.office.console + path, timeout=20, **options)

    def post(self, path, data, **options):
        return self.http.post(self.office.console + path, data=data, timeout=20, allow_redirects=False, **options)

    def csrf(self):
        return self.get("/api/v1/session").json()["csrf"]

    def change_password(self, login):
        """The first password is for once."""
        new = f"{login} walks by the quiet harbour"
        page = self.get("/password").text
        token = re.search(r'name="csrf" value="(\w+)"', page).group(1)
        answer = self.post("/password", {"csrf": token, "next": "", "old": self.office.passwords[login], "new": new, "again": new})
        assert answer.status_code == 303, answer.text
        self.office.passwords[login] = new
