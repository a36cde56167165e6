"""The demo provider gives back what real providers said."""
from harness import fixtures, main, test, wants_fixtures
from provider import Demo, replay_all

wants_fixtures()


@test
def every_seventh_real_answer_is_replayed_byte_for_byte(build):
    chosen = sorted(fixtures().glob("*-[sn]*-*"))[::7]
    assert len(chosen) > 50, (len(chosen), fixtures())
    with Demo(build, "--replay", fixtures()) as d:
        replay_all(d, chosen)
    print(f"{len(chosen)} recorded answers")


main()
