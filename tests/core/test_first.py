from tests.support.people import Person


def test_pages(coordinator: Person) -> None:
    for path in ("/", "/patients/", "/patients/new", "/offers/", "/catalog/", "/account", "/offers/new/patient"):
        page = coordinator.get(path)
        assert page.status_code == 200, (path, page.text[:3000])
