//! Which given names are short for others.
//!
//! The table is English, from what people are ordinarily called; a name may be short for several.

/// One name a line with what is said for it. At most 128 lines: a name's lines are the bits of one number.
const NAMES: [&str; 96] = [
    "abigail abby abbie gail",
    "albert al bert bertie",
    "alexander alex al sandy xander sasha lex alec",
    "alexandra alex sandra sandy lexi sasha alexa",
    "alfred al alf alfie fred freddie",
    "alice ali ally",
    "amanda mandy manda",
    "andrew andy drew",
    "angela angie ang",
    "ann anne anna annie nancy nan hannah anita",
    "anthony tony ant antony",
    "arthur art artie",
    "barbara barb babs barbie",
    "benjamin ben benny benji",
    "bernard bernie barney",
    "bradley brad",
    "caroline carol carrie caro",
    "catherine cathy kate katie kathy katherine kathryn cat kat kitty katy katharine kathleen",
    "charles charlie chuck chas chaz",
    "charlotte charlie lottie char",
    "christina chris tina christine chrissy kristina kristine",
    "christopher chris kit topher kris",
    "cynthia cindy",
    "daniel dan danny",
    "danielle dani",
    "david dave davey davie",
    "deborah deb debbie debra",
    "dennis den denny",
    "donald don donnie",
    "dorothy dot dottie dolly",
    "edward ed eddie ted teddy ned eddy",
    "eleanor ellie nell nora elle",
    "elizabeth liz beth betty lizzie eliza libby lisa elisabeth bess betsy liza bessie",
    "emily em emmy millie",
    "emma em emmy",
    "eric rick rik",
    "eugene gene",
    "florence flo flossie",
    "frances fran fanny francie",
    "francis frank fran frankie",
    "frederick fred freddie freddy rick",
    "gabriel gabe",
    "gabrielle gabby gaby",
    "geoffrey geoff jeff jeffrey",
    "george georgie",
    "georgina georgie gina georgia",
    "gerald gerry jerry",
    "gregory greg gregg",
    "harold harry hal",
    "harriet hattie harri",
    "henry harry hank hal",
    "isabella bella izzy isabelle isabel izzie belle",
    "jacob jake jakob",
    "jacqueline jackie jacqui",
    "james jim jimmy jamie jem",
    "janet jan",
    "jennifer jen jenny jenn jennie",
    "jessica jess jessie",
    "joanna jo joanne joann",
    "john jack johnny jon johnnie",
    "jonathan jon jonny nathan johnathan jonathon",
    "joseph joe joey jo",
    "josephine jo josie",
    "joshua josh",
    "judith judy jude",
    "kenneth ken kenny",
    "kimberly kim kimberley",
    "lawrence larry laurie lawrie",
    "leonard len lenny leo",
    "louis lou louie lewis",
    "louise lou lulu",
    "margaret maggie meg peggy marge greta peg margie madge",
    "martin marty",
    "mary molly polly mae marie maria",
    "matthew matt matty mat",
    "maximilian max",
    "michael mike mick mickey micky mikey",
    "michelle shelly shell chelle",
    "nathaniel nathan nate nat",
    "nicholas nick nicky nico nik",
    "nicole nicky nikki",
    "oliver ollie olly",
    "olivia liv livvy",
    "pamela pam",
    "patricia pat patty trish tricia patsy",
    "patrick pat paddy",
    "peter pete",
    "philip phil pip phillip",
    "rebecca becky becca bex",
    "richard rick dick rich richie ricky",
    "robert bob rob bobby robbie bert",
    "samuel sam sammy",
    "samantha sam sammy",
    "stephen steve steven stevie",
    "susan sue susie suzanne suzie suzy",
    "thomas tom tommy",
];

/// More of them, apart because a number has 128 bits and the table is easier read in two.
const MORE: [&str; 14] = [
    "theodore ted teddy theo",
    "theresa terry tess tessa teresa",
    "terence terry",
    "timothy tim timmy",
    "valerie val",
    "veronica ronnie vera",
    "victor vic",
    "victoria vicky tori vicki",
    "vincent vince vinny",
    "walter walt wally",
    "william bill will billy willie liam bil",
    "zachary zach zack zac zachariah",
    "ronald ron ronnie",
    "raymond ray",
];

/// The lines of the table that a name is on, as bits. Two names that share one may be the same person's.
pub(super) fn lines(name: &str) -> u128 {
    let all = NAMES.iter().chain(&MORE).enumerate();
    let on = all.filter(|(_, line)| line.split(' ').any(|other| other == name));
    on.fold(0, |bits, (at, _)| bits | 1 << at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_shares_a_line_with_every_name_it_is_short_for() {
        assert_ne!(lines("bob") & lines("robert"), 0);
        assert_ne!(lines("alex") & lines("alexandra"), 0);
        assert_eq!(lines("robert") & lines("richard"), 0);
        assert_eq!(lines("deakin"), 0);
    }
}
