module feastremote

go 1.25
